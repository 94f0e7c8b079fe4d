//! The whiteboard on a real server: what is drawn outlasts everything, and cursors all that tells the room in time.

use std::time::Duration;

use crate::harness::{Client, Server, Value, json, plugin};

fn server(config: &str) -> Server {
    Server::builder().plugin("whiteboard").config(config).start()
}

/// Somebody at the board, and what they were told on connecting.
async fn join(server: &Server, name: &str) -> (Client, Value) {
    let mut client = server.join(&format!("/ws/whiteboard?name={name}")).await;
    let board = client.expect("board").await;
    client.next_event("people").await;
    (client, board)
}

fn line(id: &str, points: &[u32]) -> Value {
    json!({ "id": id, "color": "#1a2b3c", "width": 8, "points": points })
}

/// All that is on the board, as the page loads it.
async fn load(client: &mut Client) -> Vec<Value> {
    let mut strokes = Vec::new();
    let mut after = json!(0);
    loop {
        client.send("board.page", json!({ "after": after })).await;
        let mut page = client.next_event("board.page").await;
        strokes.append(page["strokes"].as_array_mut().expect("a list of strokes"));
        match page.get("next") {
            Some(next) => after = next.clone(),
            None => return strokes,
        }
    }
}

async fn is_awake(server: &Server) -> bool {
    server.plugin("default", "whiteboard").await["rooms"][0]["awake"] == true
}

#[tokio::test]
async fn a_stroke_outlasts_a_kill() {
    let mut server = server("");
    let (mut ana, _) = join(&server, "ana").await;
    ana.send("stroke.add", line("a", &[1, 2, 3, 4])).await;
    let kept = json!({ "number": 1, "by": "ana", "id": "a", "color": "#1a2b3c", "width": 8, "points": [1, 2, 3, 4] });
    ana.expect("stroke.added").await;
    server.kill();
    server.start_again();
    let (mut ben, _) = join(&server, "ben").await;
    assert_eq!(load(&mut ben).await, [kept]);
}

#[tokio::test]
async fn a_full_page_of_the_longest_strokes_is_no_work_for_long() {
    let server = server("");
    let (mut ana, _) = join(&server, "ana").await;
    let longest: Vec<u32> = (0..1_000).map(|at| if at % 2 == 0 { 2_400 } else { 1_800 }).collect();
    for number in 0..20 {
        ana.send("stroke.add", line(&format!("line {number}"), &longest)).await;
        ana.expect("stroke.added").await;
    }
    assert_eq!(load(&mut ana).await.len(), 20);
    assert!(stored_bytes(&server).await > 90_000);
    ana.send("board.clear", json!({})).await;
    ana.expect("board.cleared").await;
    assert_eq!(load(&mut ana).await, [Value::Null; 0]);
    // What is stored of them goes in the room's alarm.
    let swept = async {
        while stored_bytes(&server).await > 1_000 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), swept).await.expect("the sweep");
    assert_eq!(server.plugin("default", "whiteboard").await["failures"], 0);
}

async fn stored_bytes(server: &Server) -> u64 {
    let tenant = server.request("GET", "/_parlor/api/tenants/default").operator().send().await.json();
    tenant["usage"]["storage_bytes"]["used"].as_u64().unwrap_or_else(|| panic!("no bytes in {tenant}"))
}

#[tokio::test]
async fn cursors_stay_while_the_room_sleeps_and_when_its_code_is_replaced() {
    let server = server("[limits]\nroom-sleep-ms = 1");
    let (mut ana, _) = join(&server, "ana").await;
    ana.send("cursor.move", json!({ "x": 10, "y": 20 })).await;
    load(&mut ana).await;
    let slept = async {
        while is_awake(&server).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), slept).await.expect("the room sleeps");
    let (mut ben, board) = join(&server, "ben").await;
    assert_eq!((&board["cursors"][0]["userId"], &board["cursors"][0]["x"]), (&json!("ana"), &json!(10)));

    // The same code with a section that says nothing is another version.
    let mut component = plugin("whiteboard");
    component.extend(b"\0\x05\x04next");
    let before = server.plugin("default", "whiteboard").await["version"].clone();
    let put = server.request("PUT", "/_parlor/api/plugins/default/whiteboard").operator();
    let put = put.body("application/wasm", component).send().await;
    assert_eq!(put.status, 200, "{put:?}");
    assert_ne!(put.json()["version"], before);
    load(&mut ben).await;
    let (_cleo, board) = join(&server, "cleo").await;
    assert_eq!(board["cursors"][0]["x"], 10);
    assert_eq!(server.plugin("default", "whiteboard").await["failures"], 0);
}

//! The histories of channels, over real sockets: what a client hears that comes back, and what is left after the server was
//! killed. The plugin is the reference plugin of conformance, whose configuration says what it keeps.

mod epochs;
mod hostile;
mod kills;
mod trials;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::{Client, Server, Value, guest, json, soon};

/// A server whose plugin keeps these histories.
fn server(keep: &str, limits: &str) -> Server {
    let config = format!("[limits]\n{limits}\n[tenants.default.plugins.conformance.config]\nkeep = {keep:?}\n");
    Server::builder().file("conformance.wasm", guest("conformance_first")).config(&config).start()
}

fn path(who: &str, rest: &str) -> String {
    format!("/conformance?user={who}&client={who}{rest}")
}

/// Has a socket say something to a channel; it is in another itself.
async fn say(client: &mut Client, channel: &str, n: u64) {
    client.send("do", json!([["emit-channel", channel, "said", { "n": n }]])).await;
}

/// What a socket heard of a channel: its positions and numbers.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Heard(Vec<(String, u64)>);

impl Heard {
    fn last(&self) -> &str {
        self.0.last().map_or("0", |(position, _)| position)
    }

    fn add(&mut self, frame: &Value) {
        if let (Some(at), Some(n)) = (frame["at"].as_str(), frame["data"]["n"].as_u64()) {
            self.0.push((at.to_owned(), n));
        }
    }

    /// Fails where an entry is missing, or was heard twice.
    fn check(&self) {
        let seq = |position: &str| position.rsplit('.').next().unwrap().parse::<u64>().unwrap();
        for pair in self.0.windows(2) {
            assert_eq!(seq(&pair[0].0) + 1, seq(&pair[1].0), "{pair:?}");
        }
    }
}

/// Comes back behind what was heard; hears what was missed. Answers whether that is all.
async fn back(server: &Server, who: &str, channel: &str, heard: &mut Heard) -> (Client, bool) {
    let mut client = server.join(&path(who, &format!("&in={channel}&since={channel}:{}", heard.last()))).await;
    let history: Value = serde_json::from_str(&client.frame().await).unwrap();
    assert_eq!((&history["type"], &history["channel"]), (&json!("history"), &json!(channel)), "{history}");
    for frame in history["frames"].as_array().unwrap() {
        heard.add(frame);
    }
    (client, history["recovered"] == true)
}

#[tokio::test]
async fn whoever_comes_back_hears_all_that_was_said_and_nothing_twice() {
    const TALKERS: u64 = 3;
    const RETURNS: usize = 40;
    let server = Arc::new(server("talk 1000 3600000", ""));
    let is_over = Arc::new(AtomicBool::new(false));
    let talk = |talker: u64| {
        let (server, is_over) = (Arc::clone(&server), Arc::clone(&is_over));
        tokio::spawn(async move {
            let mut client = server.join(&path(&format!("talker-{talker}"), "&in=else")).await;
            let mut n = 0;
            while !is_over.load(Ordering::Relaxed) {
                for _ in 0..5 {
                    n += 1;
                    say(&mut client, "talk", talker * 1_000_000 + n).await;
                }
                client.sync().await;
            }
            n
        })
    };
    let talkers: Vec<_> = (0..TALKERS).map(talk).collect();
    let mut heard = Heard::default();
    for turn in 0..RETURNS {
        let (mut client, is_all) = back(&server, "reader", "talk", &mut heard).await;
        assert!(is_all);
        for _ in 0..turn % 7 {
            heard.add(&serde_json::from_str(&client.frame().await).unwrap());
        }
        client.break_off();
    }
    is_over.store(true, Ordering::Relaxed);
    let mut said = 0;
    for talker in talkers {
        said += talker.await.unwrap();
    }
    let (_, is_all) = back(&server, "reader", "talk", &mut heard).await;
    assert!(is_all);
    heard.check();
    assert!(said > 100 && heard.0.len() as u64 == said, "{said} were said, and {} heard", heard.0.len());
}

#[tokio::test]
async fn a_history_in_memory_outlives_sleep_and_a_lost_instance() {
    let server = server("talk 100 3600000", "room-sleep-ms = 300");
    let mut talker = server.join(&path("talker", "&in=else")).await;
    let mut heard = Heard::default();
    let (mut client, _) = back(&server, "reader", "talk", &mut heard).await;
    say(&mut talker, "talk", 1).await;
    heard.add(&serde_json::from_str(&client.frame().await).unwrap());
    client.break_off();
    say(&mut talker, "talk", 2).await;
    talker.sync().await;
    soon("the room to sleep", async {
        while server.plugin("default", "conformance").await["rooms"][0]["awake"] != false {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    say(&mut talker, "talk", 3).await;
    talker.send("hang", json!(null)).await;
    say(&mut talker, "talk", 4).await;
    talker.sync().await;
    let (_, is_all) = back(&server, "reader", "talk", &mut heard).await;
    assert!(is_all);
    heard.check();
    assert_eq!(heard.0.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn what_the_api_says_to_a_channel_is_in_its_history() {
    let mut server = server("talk 100 3600000 durable", "");
    let mut heard = Heard::default();
    let (mut client, _) = back(&server, "reader", "talk", &mut heard).await;
    for n in [1, 2] {
        let body = json!({ "channel": "talk", "event": "said", "data": { "n": n } });
        let emit = server.request("POST", "/_parlor/api/rooms/default/conformance/default/emit").operator();
        let answer = emit.json(&body).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        heard.add(&serde_json::from_str(&client.frame().await).unwrap());
        if n == 1 {
            server.kill();
            server.start_again();
            let (again, is_all) = back(&server, "reader", "talk", &mut heard).await;
            assert!(is_all);
            client = again;
        }
    }
    heard.check();
    assert_eq!(heard.0.len(), 2);
}

#[tokio::test]
async fn what_the_host_stores_of_a_history_is_shown_neither_in_pages_nor_by_its_key() {
    let server = server("talk 10 3600000 durable", "");
    let mut client = server.join(&path("ada", "&in=else")).await;
    say(&mut client, "talk", 1).await;
    client.sync().await;
    let storage = "/_parlor/api/rooms/default/conformance/default/storage";
    let ask = async |query: &str| server.request("GET", &format!("{storage}{query}")).operator().send().await.json();
    let page = ask("").await;
    assert!(page["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{page}");
    let one = ask("?key=%00parlor/history/1/talk%000000000000000001").await;
    let is_own = |entry: &Value| entry["key"].as_str().is_none_or(|key| key.starts_with('\0'));
    assert!(!page["entries"].as_array().expect("a list").iter().any(is_own), "{page}");
    assert_eq!((&one["open"], &one["entries"]), (&json!(true), &json!([])));
}

//! A room goes from one language to the next: its sockets stay, and what it stored is there.

use super::place::POLL;
use super::{Plugin, c, go, python, rust, typescript};
use crate::harness::scripts::script;
use crate::harness::{Server, Value, json, soon, toolchains};

type BuiltPlugin = fn() -> &'static Plugin;

const LANGUAGES: [(&str, BuiltPlugin); 5] =
    [("python", python), ("rust", rust), ("go", go), ("c", c), ("typescript", typescript)];

/// Replaces the plugin, and waits until the room runs the new one.
async fn move_to(server: &Server, plugin: &Plugin) {
    let put = server.request("PUT", "/_parlor/api/plugins/default/conformance").operator();
    let put = put.body("application/wasm", plugin.first.clone()).send().await;
    assert_eq!(put.status, 200, "{put:?}");
    let version = put.json()["version"].clone();
    let moved = async {
        let rooms =
            async || server.request("GET", "/_parlor/api/rooms/default/conformance").operator().send().await.json();
        while rooms().await["rooms"][0]["version"] != version {
            tokio::time::sleep(POLL).await;
        }
    };
    soon("the room to run the new version", moved).await;
}

#[tokio::test]
async fn a_room_goes_from_language_to_language_under_its_sockets() {
    let mut languages = LANGUAGES.into_iter().filter(|(name, _)| !toolchains::is_left_out(name)).peekable();
    let (_, first) = languages.peek().expect("Rust is never left out");
    let server = Server::builder()
        .file("conformance.wasm", first().first.clone())
        .config("[limits]\nturn-cpu-ms = 2_000")
        .start();
    let mut ada = server.join("/conformance?room=r&user=ada&client=ada").await;
    let mut stored: Vec<(&str, Value)> = Vec::new();
    for (number, (language, plugin)) in languages.enumerate() {
        if number > 0 {
            move_to(&server, plugin()).await;
        }
        ada.send("do", json!([["put", language, number], ["list", ""]])).await;
        let position = stored.partition_point(|(earlier, _)| *earlier < language);
        stored.insert(position, (language, json!(number)));
        assert_eq!(ada.next_event("did").await["data"], json!([null, stored]), "in {language}");
    }
}

/// An emit into another room reaches those whom all its conditions leave, from each language.
#[tokio::test]
async fn a_room_speaks_into_another_one() {
    for (language, plugin) in LANGUAGES.into_iter().filter(|(name, _)| !toolchains::is_left_out(name)) {
        let server = Server::builder()
            .file("conformance.wasm", plugin().first.clone())
            .config("[limits]\nturn-cpu-ms = 2_000")
            .start();
        let join = async |room, client| {
            server.join(&format!("/conformance?room={room}&user=ada&client={client}&in=default,news")).await
        };
        let (mut here, mut first, mut second) = (join("r", "1").await, join("s", "2").await, join("s", "3").await);
        let say = |channel: &str, users: &[&str], clients: &[&str], event: &str| {
            let data = json!({ "n": 1 });
            json!(["emit-room", "s", channel, users, clients, event, data])
        };
        let ops = [
            say("news", &["ada"], &["2"], "a"),
            say("default", &["bob"], &["2", "3"], "b"),
            say("news", &["ada"], &["3", "2"], "c"),
        ];
        here.send("do", json!(ops)).await;
        assert_eq!(here.next_event("did").await["data"], json!([null, null, null]), "in {language}");
        assert_eq!(first.event().await, json!({ "type": "a", "n": 1 }), "in {language}");
        assert_eq!(first.event().await, json!({ "type": "c", "n": 1 }), "in {language}");
        assert_eq!(second.event().await, json!({ "type": "c", "n": 1 }), "in {language}");
    }
}

/// What the contract got later is imported by who calls it: another plugin loads on a server that lacks it.
#[test]
fn what_no_plugin_calls_is_not_imported() {
    let faults = |language: &str, name: &str| {
        let is_left_out = toolchains::is_left_out(language);
        (!is_left_out).then(|| toolchains::built(&format!("tests/guests/{language}/faults"), name))
    };
    let without = [
        ("c", faults("c", "c-faults")),
        ("go", faults("go", "go-faults")),
        ("python", faults("python", "faults")),
        ("typescript", Some(script("tests/guests/scripts/mirror.ts", "mirror"))),
    ];
    let has = |component: &[u8], name: &str| component.windows(name.len()).any(|bytes| bytes == name.as_bytes());
    for (language, component) in without {
        let Some(component) = component else { continue };
        assert!(!has(&component, "parlor:room/history"), "{language} imports histories");
        // The engine of TypeScript has a function of this name in the place of the host's.
        assert!(language == "typescript" || !has(&component, "of-channel"), "{language} imports a channel's sockets");
    }
    for (language, plugin) in LANGUAGES.into_iter().filter(|(name, _)| !toolchains::is_left_out(name)) {
        assert!(has(&plugin().first, "parlor:room/history"), "{language}'s reference plugin keeps histories");
    }
}

//! Whole lives of the example plugins: what was recorded is what happens again.

use super::{recorded, replay, tapes_of};
use crate::harness::Server;
use crate::harness::command::parlor;
use crate::language::request;

/// How many turns each life has here; by hand there were 10,000.
const TURNS: usize = 200;

/// The name and the data of an event.
type Said = (&'static str, &'static str);

/// What clients of an example say, in turn: the plugin, the address, and the events.
const SAID: [(&str, &str, &[Said]); 3] = [
    (
        "chat",
        "/ws?room=lives",
        &[
            ("chat.message", r#"{"text":"hello"}"#),
            ("user.typing", r#"{"isTyping":true}"#),
            ("ping", "{}"),
            ("else", "{}"),
        ],
    ),
    (
        "presence",
        "/ws/presence?room=lives",
        &[
            ("presence.list", "{}"),
            ("presence.status", r#"{"status":"away"}"#),
            ("presence.typing", r#"{"isTyping":true}"#),
        ],
    ),
    (
        "tickets",
        "/ws/tickets?room=lives",
        &[
            ("seat.hold", r#"{"seat":"A1"}"#),
            ("seat.buy", r#"{"seat":"A1"}"#),
            ("seat.release", r#"{"seat":"A2"}"#),
            ("seats.list", "{}"),
        ],
    ),
];

#[tokio::test]
async fn lives_of_the_examples_are_lived_again_without_a_divergence() {
    for (plugin, path, said) in SAID {
        let server = Server::builder().plugin(plugin).config(&recorded(plugin, "all")).start();
        let mut ada = server.join(&format!("{path}&userId=ada")).await;
        let mut bob = server.join(&format!("{path}&userId=bob")).await;
        for turn in 0..TURNS {
            let (event, data) = said[turn % said.len()];
            let client = if turn % 3 == 0 { &mut bob } else { &mut ada };
            request(client, event, serde_json::from_str(data).expect("JSON")).await;
        }
        drop((ada, bob));
        server.signal_end();
        for tape in tapes_of(&server, plugin, 1).await {
            let again = replay(&server, &tape, plugin, &[]);
            assert!(again.success && again.out.contains("the same outcome"), "{plugin}: {again:?}");
            // The real model of a room answers as the room did.
            let component = format!("plugins/{plugin}.wasm");
            let tape = tape.to_str().expect("text");
            let again = parlor(server.folder(), &["replay", tape, "--with", &component]);
            assert!(again.success && again.out.contains(", 0 of them differ"), "{plugin}: {again:?}");
        }
    }
}

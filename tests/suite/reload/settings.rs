//! How changes are noticed: by events, by looking, or not at all.

use std::time::Duration;

use super::{lines, serves, write};
use crate::harness::Server;
use crate::harness::guests::saying;

#[tokio::test]
async fn polling_needs_no_events() {
    let config = "watch = \"poll\"\nwatch-poll-ms = 50";
    let server = Server::builder().config(config).file("bare.wasm", saying("one")).start();
    assert_eq!(server.inotify_watches(), None, "nothing listens to events");
    write(&server, "bare.wasm", &saying("two"));
    serves(&server, "/bare", "two").await;
    write(&server, "acme/bare.wasm", &saying("three"));
    serves(&server, "/t/acme/bare", "three").await;
    std::fs::remove_file(server.folder().join("plugins/bare.wasm")).expect("a file");
    server.wait_for_log(&["retired", "bare.wasm"]).await;
    write(&server, "acme/bare.wasm", b"junk");
    server.wait_for_log(&["acme/bare.wasm is not served"]).await;
}

#[tokio::test]
async fn off_is_off() {
    let server = Server::builder().config("watch = \"off\"").file("bare.wasm", saying("one")).start();
    write(&server, "bare.wasm", &saying("two"));
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    serves(&server, "/bare", "one").await;
    assert_eq!(lines(&server, &["reloaded"]), 0);
    let mut server = server;
    server.terminate().await;
    server.start_again();
    serves(&server, "/bare", "two").await;
}

#[test]
fn settings_that_are_none_name_their_key() {
    for (config, words) in [
        ("watch = \"sometimes\"", "watch: there is no value `sometimes` here, but events, poll, off"),
        ("watch-poll-ms = 0", "watch-poll-ms must be 10 to 3600000, not 0"),
        ("watch-poll-ms = \"often\"", "watch-poll-ms"),
        (
            "[tenants.acme.plugins.chat.limits]\nversions-kept = 3",
            "limits.versions-kept is a bound of the whole tenant",
        ),
        ("[limits]\nversions-kept = 0", "limits.versions-kept must not be 0"),
    ] {
        let ended = Server::builder().config(config).try_start().expect_err("a setting that is none");
        let last = ended.log.last().expect("a line that says why");
        assert!(last.contains(words), "{config}: {last}");
    }
}

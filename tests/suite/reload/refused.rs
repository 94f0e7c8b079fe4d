//! Files that are not taken: the version before serves on, one line says why, and nothing else happens.

use std::time::Duration;

use hostile_guests::bare;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{history, lines, place, remove, serves, settle, told, version, write};
use crate::harness::guests::{at, saying};
use crate::harness::{Server, json};

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("a sample")
}

#[tokio::test]
async fn junk_changes_nothing_and_is_told_once() {
    let server = Server::builder().file("bare.wasm", saying("one")).start();
    let before = version(&server, "default/bare").await;
    for (number, (bytes, words)) in [
        (b"junk".to_vec(), "no WebAssembly component"),
        (Vec::new(), "is empty"),
        (wat("(module)"), "core module"),
        (bare(&[("in init", "unreachable")]), "init trapped"),
        (at("/../x"), "path"),
    ]
    .into_iter()
    .enumerate()
    {
        write(&server, "bare.wasm", &bytes);
        let line = server.wait_for_log(&["bare.wasm is not served", words]).await;
        assert!(line.contains(&format!("{before} serves on")), "{line}");
        serves(&server, "/bare", "one").await;
        // Touched, and copied again: it is what was refused.
        write(&server, "bare.wasm", &bytes);
        settle(&server).await;
        assert_eq!(lines(&server, &["bare.wasm is not served"]), number + 1);
        let refused = told(&server, "default/bare").await["last_refused"].clone();
        assert!(refused["why"].as_str().expect("words").contains(words), "{refused}");
        assert!(refused["time"].as_f64().is_some_and(|time| time > 1e12) && refused["version"] != json!(before));
    }
    assert_eq!(version(&server, "default/bare").await, before);
    write(&server, "bare.wasm", &saying("two"));
    serves(&server, "/bare", "two").await;
    assert_eq!(history(&server, "default/bare").await.iter().filter(|what| *what == "refused").count(), 5);
    // What never served is told of as well.
    write(&server, "novel.wasm", b"junk");
    server.wait_for_log(&["novel.wasm is not served"]).await;
    assert_eq!(told(&server, "default/novel").await["state"], "refused");
}

#[tokio::test]
async fn a_part_of_a_file_is_waited_for() {
    let server = Server::builder().file("bare.wasm", saying("one")).start();
    let whole = saying("two");
    for end in (0..whole.len()).step_by(whole.len() / 8) {
        write(&server, "bare.wasm", &whole[..end]);
        // Longer than a file must be still to be read.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    serves(&server, "/bare", "one").await;
    write(&server, "bare.wasm", &whole);
    serves(&server, "/bare", "two").await;
    settle(&server).await;
    assert_eq!(lines(&server, &["is not served"]), 0);
    // A part that stays one is told of.
    write(&server, "bare.wasm", &saying("three")[..whole.len() / 2]);
    server.wait_for_log(&["bare.wasm is not served", "does not compile"]).await;
    serves(&server, "/bare", "two").await;
}

#[tokio::test]
async fn fewer_rights_and_another_contract_are_refused_by_name() {
    let server = Server::builder()
        .config("[tenants.default]\nimports = [\"parlor:room/outbox\", \"parlor:room/events\"]")
        .file("bare.wasm", saying("one"))
        .start();
    serves(&server, "/bare", "one").await;
    for (text, words) in [
        ("(import \"parlor:room/storage@0.1.0\" (instance))", "imports parlor:room/storage@0.1.0, which its tenant"),
        (
            "(instance $i) (export \"parlor:room/guest@0.7.0\" (instance $i))",
            "exports the contract parlor:room/guest@0.7.0; this host serves parlor:room/guest@0.1.0",
        ),
    ] {
        write(&server, "bare.wasm", &wat(&format!("(component {text})")));
        server.wait_for_log(&["bare.wasm is not served", words]).await;
        serves(&server, "/bare", "one").await;
    }
}

#[tokio::test]
async fn two_files_that_want_one_path() {
    let server = Server::builder().file("first.wasm", saying("one")).start();
    write(&server, "second.wasm", &saying("two"));
    let line = server.wait_for_log(&["second.wasm is not served"]).await;
    assert!(line.contains("default/second wants the path /bare, which default/first"), "{line}");
    serves(&server, "/bare", "one").await;
    // A version of a third one that would move there.
    write(&server, "third.wasm", &at("/bore"));
    serves(&server, "/bore", "say").await;
    write(&server, "third.wasm", &saying("three"));
    server.wait_for_log(&["third.wasm is not served", "/bare"]).await;
    serves(&server, "/bore", "say").await;
    remove(&server, "third.wasm");
    // Once the path is free, the one that wanted it has it.
    remove(&server, "first.wasm");
    serves(&server, "/bare", "two").await;
    assert_eq!(lines(&server, &["second.wasm is not served"]), 1);
}

#[tokio::test]
async fn a_tenant_has_so_many_plugins() {
    let config = "[tenants.default.limits]\nplugins-per-tenant = 1";
    let server = Server::builder().file("bare.wasm", saying("one")).config(config).start();
    write(&server, "bore.wasm", &at("/bore"));
    server.wait_for_log(&["bore.wasm is not served", "plugins-per-tenant: at most 1"]).await;
    remove(&server, "bare.wasm");
    serves(&server, "/bore", "say").await;
}

#[tokio::test]
async fn what_is_no_regular_file_is_passed_over() {
    let server = Server::builder().file("bare.wasm", saying("one")).start();
    let pipe = place(&server, "pipe.wasm");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
    server.wait_for_log(&["pipe.wasm is no regular file"]).await;
    write(&server, "bare.wasm", &saying("two"));
    serves(&server, "/bare", "two").await;
}

//! Nothing that the server writes for people holds it up or ends it.

use std::fs::File;
use std::io::Read as _;
use std::process::Command;

use super::{named_pipe, text};
use crate::harness::guests::answers;
use crate::harness::{Builder, Server, json, soon};

/// A server whose guest logs what it is told to.
fn talker(script: &str) -> Builder {
    let limits = "[limits]\nlog-lines-per-turn = 1000\nframes-per-second = 1000\nframes-burst = 1000\n\
                  client-faults = 1000\naddress-faults = 1000\nclient-slow-ms = 0\n\
                  log-bytes-per-second = 1000000000\nlog-tenant-bytes-per-second = 1000000000\n\
                  log-bytes-burst = 1000000000\nlog-tenant-bytes-burst = 1000000000";
    Server::builder().guest_as("limit_calls", "calls").early().script(script).config(limits)
}

/// How many lines of the log were lost.
async fn lost(server: &Server) -> u64 {
    let metrics = server.request("GET", "/_parlor/metrics").operator().send().await.body;
    let line = metrics.lines().find_map(|line| line.strip_prefix("parlor_log_lines_lost_total "));
    line.expect("the metric").parse::<f64>().expect("a number") as u64
}

/// Rooms run turns that log and turns that fail, and the end is a drain.
async fn assert_serves_and_drains(mut server: Server, of: &str) {
    for room in 0..3 {
        let mut client = server.join(&format!("/calls?room=r{room}")).await;
        for _ in 0..3 {
            answers(&mut client, json!([["times", 5, "log", "a line"]])).await;
            client.send("fail", json!([])).await;
        }
        answers(&mut client, json!([["log", "still there"]])).await;
    }
    let mut left = server.join("/calls?room=r0").await;
    server.signal_end();
    assert_eq!(left.closed().await.code, 1012, "{of}");
    assert_eq!(server.exited().await.code(), Some(0), "{of}");
}

#[tokio::test]
async fn streams_that_are_closed_or_full_hurt_nobody() {
    for redirected in ["2>/dev/full", "2>&-", ">/dev/full", ">&-", ">&- 2>&-", ">/dev/full 2>/dev/full"] {
        let server = talker(&format!("exec \"$@\" {redirected}")).start();
        assert_serves_and_drains(server, redirected).await;
    }
}

#[tokio::test]
async fn a_reader_that_is_gone_hurts_nobody() {
    for stream in ["2>", ">"] {
        let (_folder, pipe) = named_pipe();
        let reader = File::options().read(true).write(true).open(&pipe).expect("a pipe");
        let server = talker(&format!("exec \"$@\" {stream}{}", text(&pipe))).start();
        server.join("/calls").await;
        drop(reader);
        assert_serves_and_drains(server, stream).await;
    }
}

#[tokio::test]
async fn what_a_full_disk_takes_no_more_is_counted() {
    let server = talker("exec \"$@\" 2>/dev/full").start();
    let mut client = server.join("/calls").await;
    answers(&mut client, json!([["times", 50, "log", "a line"]])).await;
    let counted = async { while lost(&server).await < 50 {} };
    soon("the lost lines in the metrics", counted).await;
}

#[tokio::test]
async fn nobody_waits_for_a_log_that_nobody_reads_and_what_was_lost_is_told() {
    let (_folder, pipe) = named_pipe();
    let mut reader = File::options().read(true).write(true).open(&pipe).expect("a pipe");
    let mut server = talker(&format!("exec \"$@\" 2>{}", text(&pipe))).start();
    let mut client = server.join("/calls").await;
    // A pipe holds 64 KiB, and the queue behind it some MiB.
    let flood = async {
        while lost(&server).await == 0 {
            answers(&mut client, json!([["times", 500, "log", "x".repeat(900)]])).await;
        }
    };
    soon("the queue of the log to be full", flood).await;
    // Another room on another thread is served as ever.
    answers(&mut server.join("/calls?room=other").await, json!([["log", "there"]])).await;
    // Once somebody reads, what was kept comes, and a line says what did not.
    let told = tokio::task::spawn_blocking(move || {
        let (mut heard, mut chunk) = (Vec::new(), vec![0; 64 << 10]);
        while !String::from_utf8_lossy(&heard).contains("lines of the log were lost") {
            let length = reader.read(&mut chunk).expect("the log");
            heard.drain(..heard.len().saturating_sub(1_000));
            heard.extend_from_slice(&chunk[..length]);
        }
        reader
    });
    let _reader = soon("the log to say what was lost", told).await.expect("the log");
    // Nobody reads again, and the end waits for that no longer than a moment.
    answers(&mut client, json!([["times", 500, "log", "x".repeat(900)]])).await;
    assert_eq!(server.terminate().await.code(), Some(0));
}

#[test]
fn a_command_whose_reader_has_seen_enough_has_not_failed() {
    let run = |script: &str| {
        let output = Command::new("bash").args(["-c", script, "bash", env!("CARGO_BIN_EXE_parlor")]).output();
        let output = output.expect("bash");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for script in [
        "set -o pipefail; \"$1\" limits --why | head -n 1",
        "set -o pipefail; \"$1\" --help | head -n 1",
        "\"$1\" limits >&-",
        "\"$1\" limits nobody >&- 2>&-",
        "\"$1\" limits nobody 2>/dev/full",
    ] {
        assert_eq!(run(script).0, Some(0), "{script}: {}", run(script).1);
    }
    // What could not be printed at all is a failure, with words.
    let (code, words) = run("\"$1\" limits >/dev/full");
    assert!(code == Some(1) && words.contains("cannot print"), "{code:?} {words}");
    assert_eq!(run("\"$1\" limits --config nowhere 2>/dev/full").0, Some(1));
}

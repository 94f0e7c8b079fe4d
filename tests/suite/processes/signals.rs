//! The signals that end a server, whatever it is about to do.

use hostile_guests::bare;
use rustix::process::Signal;

use super::asked;
use crate::harness::{Builder, Server, soon};

/// A server that loads a plugin for as long as the test lasts.
fn busy_loading() -> Builder {
    let endless = bare(&[("in init", "(loop $on (br $on))")]);
    let limits = "[limits]\ninit-cpu-ms = 600_000\ncall-wall-ms = 600_000\ncompile-wall-ms = 600_000";
    Server::builder().file("slow.wasm", endless).config(limits)
}

/// Whether a process has handlers for SIGTERM, SIGINT and SIGHUP.
fn hears(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or_default();
    let bits = [Signal::TERM, Signal::INT, Signal::HUP].map(|signal| 1 << (signal.as_raw() - 1));
    bits.iter().all(|bit| caught & bit != 0)
}

#[tokio::test]
async fn a_signal_while_plugins_are_loaded_ends_the_server_at_once() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut server = busy_loading().early().start();
        let loading = async { while !asked(&server, "/_parlor/health").await.1.contains("1 of 1") {} };
        soon("the server to load", loading).await;
        server.signal(signal);
        assert_eq!(server.exited().await.code(), Some(0), "{signal:?}");
        assert!(server.log().iter().any(|line| line.contains("while plugins are still being loaded")));
    }
}

#[tokio::test]
async fn a_signal_in_the_first_moment_ends_the_server_as_well() {
    // The shell waits until the server has its handlers, which come before all else, and sends the signal.
    let script = "\"$@\" & server=$!
        until grep -q '^SigCgt:.*[4567cdef]...$' /proc/$server/status; do :; done
        kill $server; wait $server; exit $?";
    let ended = busy_loading().script(script).try_start().expect_err("it ends before it serves");
    assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.log);
}

/// The first process of a container has no default actions: what it does not hear does not end it.
#[tokio::test]
async fn the_first_process_of_a_container_hears_signals_while_it_starts() {
    let unshare = "unshare --user --map-root-user --pid --fork --kill-child";
    let may = std::process::Command::new("bash").args(["-c", &format!("{unshare} true")]).status();
    if !may.expect("bash").success() {
        return eprintln!("this system lets nobody make a container, so nothing is tested");
    }
    let mut server = busy_loading().early().script(&format!("exec {unshare} \"$@\"")).start();
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", server.process()));
    let first: i32 = children.expect("its children").trim().parse().expect("the one process in the container");
    assert!(hears(first.unsigned_abs()));
    let first = rustix::process::Pid::from_raw(first).expect("a process");
    rustix::process::kill_process(first, Signal::TERM).expect("a signal");
    assert_eq!(server.exited().await.code(), Some(0));
}

#[tokio::test]
async fn a_closed_terminal_drains() {
    let mut server = Server::with_guest("plain");
    let mut client = server.enter_after("/plain", "hello").await;
    server.signal(Signal::HUP);
    assert_eq!(client.closed().await.code, 1012);
    assert_eq!(server.exited().await.code(), Some(0));
    assert!(server.log().iter().any(|line| line.contains("SIGHUP: draining")));
}

#[tokio::test]
async fn what_nohup_ignores_stays_ignored() {
    let mut server = Server::builder().guest("plain").script("trap '' HUP; exec \"$@\"").start();
    server.signal(Signal::HUP);
    server.enter_after("/plain", "hello").await;
    assert_eq!(server.terminate().await.code(), Some(0));
    assert!(!server.log().iter().any(|line| line.contains("SIGHUP")));
}

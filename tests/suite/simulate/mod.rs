//! `parlor simulate`: seeds find faults that were planted, find them again, and find none where there is none.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::harness::command::{Said, parlor_in};
use crate::harness::room::cache;
use crate::harness::scripts::script;
use crate::harness::{Server, guest, json, plugin, root, target};
use crate::tapes::tapes_of;

/// How long a seed may take to find a fault, and all that follows.
const PATIENCE: Duration = Duration::from_secs(60);

/// Simulates a component in an empty folder.
fn simulate(folder: &Path, component: &[u8], seed: u64, more: &[&str]) -> Said {
    fs::write(folder.join("room.wasm"), component).expect("a file");
    let seed = seed.to_string();
    let args = [&["simulate", "room.wasm", "--seed", &seed], more].concat();
    parlor_in(folder, &args, &[("PARLOR_CACHE", &cache())])
}

/// Simulates a component with the first seeds until one finds something. What it prints finds the same again, and so does the tape.
fn finds(component: &[u8], words: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let begun = Instant::now();
    let with = |seed| (seed, simulate(folder, component, seed, &["--steps", "2000"]));
    let (seed, said) = (1..10).map(with).find(|(_, said)| !said.success).expect("a seed that finds it");
    assert!(begun.elapsed() < PATIENCE, "it took {:?}", begun.elapsed());
    assert!(said.err.contains(words), "{said:?}");
    assert!(said.out.contains("the same outcome"), "the tape: {said:?}");

    let again = said.out.lines().find_map(|line| line.strip_prefix("find it again: parlor ")).expect("a command");
    let args: Vec<&str> = again.split(' ').collect();
    let second = parlor_in(folder, &args, &[("PARLOR_CACHE", &cache())]);
    assert_eq!((second.success, &second.err), (false, &said.err));
    let steps = |said: &Said| -> Vec<String> {
        let all = said.out.lines().skip_while(|line| !line.ends_with("steps lead to it:"));
        all.take_while(|line| !line.starts_with("replay it")).map(str::to_owned).collect()
    };
    assert_eq!(steps(&second), steps(&said));
    assert!((2..20).contains(&steps(&said).len()), "{said:?}");
    let tape = format!(".parlor/tapes/room-seed-{seed}.tape");
    let replayed = parlor_in(folder, &["replay", &tape], &[]);
    assert!(replayed.success && replayed.out.contains("the same outcome"), "{replayed:?}");
}

#[test]
fn a_seat_that_tickets_loses_is_found() {
    finds(&guest("lost_seat"), "$check: check.lost: ");
}

#[test]
fn a_resume_of_the_whiteboard_that_fails_is_found() {
    // A copy of the plugin that hands over what it cannot take.
    let copy = target().join("tmp/whiteboard-bad-resume");
    fs::create_dir_all(&copy).expect("a folder");
    for name in ["index.ts", "board.ts", "stroke.ts"] {
        let mut source = fs::read_to_string(root().join("plugins/whiteboard/src").join(name)).expect("a source");
        if name == "index.ts" {
            let right = "cursors.set(cursor.clientId, cursor)";
            assert!(source.contains(&format!("of kept) {right}")), "the whiteboard is another one now");
            source = source
                .replace(&format!("of kept) {right}"), "of (kept as any).all) cursors.set(cursor.clientId, cursor)");
        }
        fs::write(copy.join(name), source).expect("a file");
    }
    let entry = copy.join("index.ts");
    let entry = entry.to_str().expect("text");
    finds(&script(entry, "whiteboard-bad-resume"), "$resume: ");
}

/// Payloads that nobody guesses come from tapes: from what went well with real clients follows what fails.
#[tokio::test]
async fn what_real_clients_sent_finds_a_fault_behind_it() {
    let record = "[tenants.default.plugins.coupons]\nrecord = \"all\"";
    let server = Server::builder().guest("coupons").config(record).start();
    let mut ana = server.join("/coupons?room=lobby").await;
    ana.send("redeem", json!({ "coupon": "spring-4711-qx", "times": 1 })).await;
    ana.next_event("redeemed").await;
    drop(ana);
    server.signal_end();
    let tapes = tapes_of(&server, "coupons", 1).await;
    let (folder, component) = (tempfile::tempdir().expect("a folder"), guest("coupons"));
    let steps = ["--steps", "1000"];
    let without = simulate(folder.path(), &component, 1, &steps);
    assert!(without.success && without.out.contains("1000 steps, and nothing failed"), "{without:?}");
    // The tape, and the folder that it lies in.
    for from in [tapes[0].as_path(), tapes[0].parent().expect("a folder")] {
        let from = from.to_str().expect("text");
        let with = simulate(folder.path(), &component, 1, &[&steps[..], &["--from", from]].concat());
        assert!(with.code == Some(1) && with.err.contains("redeem: trap: "), "{with:?}");
        assert!(with.out.contains("spring-4711-qx") && with.out.contains("the same outcome"), "{with:?}");
        assert!(with.out.contains("and the other arguments as here"), "{with:?}");
    }
    fs::create_dir(folder.path().join("empty")).expect("a folder");
    for (from, words) in
        [("empty", "empty has no tapes"), ("room.wasm", "room.wasm: is no tape"), ("nowhere", "cannot read nowhere")]
    {
        let wrong = simulate(folder.path(), &component, 1, &["--from", from]);
        assert!(wrong.code == Some(1) && wrong.err.contains(words), "{wrong:?}");
    }
}

#[test]
fn the_examples_pass() {
    for name in ["alerts", "chat", "desks", "inbox", "lounge", "notifications", "presence", "tickets", "whiteboard"] {
        let folder = tempfile::tempdir().expect("a folder");
        for seed in [1, 2, 3] {
            let said = simulate(folder.path(), &plugin(name), seed, &["--steps", "300"]);
            assert!(said.success && said.out.contains("300 steps, and nothing failed"), "{name}: {said:?}");
        }
    }
}

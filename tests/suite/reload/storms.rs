//! Writing without end: the last good version serves, and nothing grows.

use std::time::Duration;

use super::{lines, place, replace, serves, settle, write};
use crate::harness::guests::saying;
use crate::harness::{Server, soon};

#[tokio::test]
async fn a_thousand_writes() {
    let server = Server::builder().file("bare.wasm", saying("one")).start();
    let good: Vec<Vec<u8>> = (0..4).map(|number| saying(&format!("good{number}"))).collect();
    // Code that is loaded holds its file open, and that of the version before is kept: both are there from the start.
    write(&server, "bare.wasm", &saying("two"));
    serves(&server, "/bare", "two").await;
    settle(&server).await;
    let before = (server.descriptors(), server.inotify_watches());
    for number in 0..1_000 {
        let bytes = &good[number % good.len()];
        match number % 6 {
            0 => write(&server, "bare.wasm", bytes),
            1 => replace(&server, "bare.wasm", bytes),
            2 => write(&server, "bare.wasm", &bytes[..bytes.len() / 2]),
            3 => replace(&server, "bare.wasm", b"junk"),
            4 => {
                // Deleted and written anew.
                std::fs::remove_file(place(&server, "bare.wasm")).expect("a file");
                write(&server, "bare.wasm", bytes);
            }
            _ => {
                write(&server, &format!("acme{}/bare.wasm", number % 5), bytes);
                let other = place(&server, "other.wasm");
                std::fs::rename(place(&server, "bare.wasm"), &other).expect("a rename");
                std::fs::rename(other, place(&server, "bare.wasm")).expect("a rename");
            }
        }
        if number % 10 == 0 {
            // Somebody is served throughout.
            server.join("/bare").await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    write(&server, "bare.wasm", &good[3]);
    serves(&server, "/bare", "good3").await;
    for number in 0..5 {
        std::fs::remove_dir_all(place(&server, &format!("acme{number}"))).expect("a folder");
    }
    settle(&server).await;
    assert_eq!(lines(&server, &["default", "retired"]), 0);
    let flat = async {
        // Rooms that were opened linger for a while, and sockets close in their own time.
        while server.descriptors() > before.0 || server.inotify_watches() != before.1 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    soon(&format!("{before:?} descriptors and watches, as before"), flat).await;
}

#[tokio::test]
async fn a_file_that_is_written_without_end_holds_up_no_other() {
    let server = Server::builder().file("bare.wasm", saying("one")).start();
    let restless = async {
        loop {
            write(&server, "restless.wasm", b"never still");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let other = async {
        write(&server, "bare.wasm", &saying("two"));
        serves(&server, "/bare", "two").await;
    };
    tokio::select! {
        () = restless => {}
        () = other => {}
    }
}

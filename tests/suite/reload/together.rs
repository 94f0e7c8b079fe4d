//! Uploads and the folder: whoever is first, each version is loaded once, and the last one serves.

use super::{history, lines, place, serves, settle, version, write};
use crate::harness::guests::saying;
use crate::harness::{Request, Server};

fn put(server: &Server, component: Vec<u8>) -> Request {
    server.request("PUT", "/_parlor/api/plugins/default/bare").operator().body("application/wasm", component)
}

#[tokio::test]
async fn what_was_uploaded_is_not_loaded_again_from_the_folder() {
    let server = Server::builder().start();
    for (event, status) in [("one", 201), ("two", 200), ("one", 200)] {
        assert_eq!(put(&server, saying(event)).send().await.status, status);
        serves(&server, "/bare", event).await;
        settle(&server).await;
    }
    assert_eq!(history(&server, "default/bare").await, ["deployed"; 3]);
    assert_eq!((lines(&server, &["uploaded"]), lines(&server, &[" loaded ", "default"])), (3, 0));
}

#[tokio::test]
async fn the_same_from_both_sides_at_once() {
    let server = Server::builder().file("bare.wasm", saying("zero")).start();
    for round in 0..6 {
        let event = format!("v{round}");
        let upload = put(&server, saying(&event)).send();
        write(&server, "bare.wasm", &saying(&event));
        let answer = upload.await;
        assert_eq!(answer.status, 200, "{answer:?}");
        serves(&server, "/bare", &event).await;
    }
    settle(&server).await;
    // Once at start, and once for each.
    assert_eq!(history(&server, "default/bare").await, ["deployed"; 7]);
}

#[tokio::test]
async fn different_ones_from_both_sides_at_once() {
    let server = Server::builder().file("bare.wasm", saying("zero")).start();
    for round in 0..6 {
        let upload = put(&server, saying(&format!("u{round}"))).send();
        write(&server, "bare.wasm", &saying(&format!("f{round}")));
        assert_eq!(upload.await.status, 200);
    }
    settle(&server).await;
    // Whatever was last: what lies in the folder is what serves.
    let lies = std::fs::read(place(&server, "bare.wasm")).expect("a file");
    let serving = version(&server, "default/bare").await;
    assert_eq!(serving, blake3::hash(&lies).to_hex()[..12]);
    assert_eq!(lines(&server, &["is not served"]), 0);
}

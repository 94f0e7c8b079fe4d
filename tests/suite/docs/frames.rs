//! The frames of the pages: a client of the plugin `chat` sends what it sends there, and gets what it gets there.

use super::blocks::{Page, pages};
use crate::harness::{Client, Server, Value};

/// A frame of the kind that the page shows: the next one with its event, or with its type where it is no event.
async fn next_like(client: &mut Client, shown: &Value) -> Value {
    loop {
        let frame: Value = serde_json::from_str(&client.frame().await).expect("a frame is JSON");
        if frame["type"] == shown["type"] && frame["data"]["type"] == shown["data"]["type"] {
            return frame;
        }
    }
}

async fn check(page: &Page) -> usize {
    let server = Server::builder().plugin("chat").start();
    let mut ada = server.enter_after("/ws?userId=ada", "welcome").await;
    let mut frames = 0;
    for block in page.blocks() {
        let parse = || serde_json::from_str::<Value>(&block.text).expect("JSON");
        match block.marker.as_deref() {
            Some("client sends") => ada.send_text(block.text.trim()).await,
            Some("client gets") => {
                let mut shown = parse();
                let mut real = next_like(&mut ada, &shown).await;
                // No two are sent at the same time.
                for frame in [&mut shown, &mut real] {
                    if let Some(time) = frame["data"].get_mut("timestamp") {
                        *time = Value::Null;
                    }
                }
                assert_eq!(real, shown, "{}", block.place());
            }
            _ => continue,
        }
        frames += 1;
    }
    frames
}

#[tokio::test]
async fn every_frame_is_answered_as_the_page_shows() {
    let mut count = 0;
    for page in pages().iter().filter(|page| page.text.contains("<!-- client sends -->")) {
        count += check(page).await;
    }
    assert!(count >= 6, "only {count} frames were found");
}

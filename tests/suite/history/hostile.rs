//! Plugins that keep too much, and clients that ask for nonsense.

use super::{Heard, back, path, server};
use crate::harness::{Server, Value, guest, json};

#[tokio::test]
async fn a_plugin_that_keeps_too_many_channels_is_refused() {
    let keep: Vec<String> = (0..1_000).map(|n| format!("c{n} 10 1000")).collect();
    let config = format!("[tenants.default.plugins.conformance.config]\nkeep = {:?}\n", keep.join(","));
    let server = Server::builder().file("conformance.wasm", guest("conformance_first")).config(&config).start();
    server.wait_for_log(&["history-channels"]).await;
    assert_eq!(server.refused(&path("ada", "")).await.status, 404);
}

#[tokio::test]
async fn nonsense_in_since_is_answered_and_harms_nobody() {
    let server = server("talk 10 3600000", "");
    let mut ada = server.join(&path("ada", "&in=else")).await;
    ada.send("do", json!([["emit-channel", "talk", "said", { "n": 1 }]])).await;
    ada.sync().await;
    let long = "x".repeat(4_000);
    for position in ["", ".", "-1", "a.b", "x.99999999999999999999999999", "%00.%ff", "e.1.1", "1e9", &long] {
        let mut client = server.join(&path("bob", &format!("&in=talk&since=talk:{position}"))).await;
        let history: Value = serde_json::from_str(&client.frame().await).unwrap();
        assert_eq!(history["frames"].as_array().unwrap().len(), 1, "{position}: {history}");
        assert_eq!(history["recovered"], position.is_empty(), "{position}");
    }
    let many: String = (0..200).map(|n| format!("&since=c{n}:0&since=talk:0&since={long}:0&since=:0")).collect();
    let mut client = server.join(&path("bob", &format!("&in=talk{}", &many[..6_000]))).await;
    let frames = client.sync().await;
    assert!(frames.len() < 64 && frames.iter().any(|frame| frame.contains(r#""n":1"#)), "{frames:?}");
}

#[tokio::test]
async fn huge_entries_stay_within_their_bounds() {
    let server = server("talk 1000 3600000,log 1000 3600000 durable", "");
    let mut ada = server.join(&path("ada", "&in=else")).await;
    for channel in ["talk", "log"] {
        for n in 0..12 {
            let text = json!({ "$": ["text", "x", 200_000] });
            ada.send("do", json!([["emit-channel", channel, "said", { "n": n, "text": text }]])).await;
            ada.sync().await;
        }
        let mut heard = Heard::default();
        let (mut client, is_all) = back(&server, "bob", channel, &mut heard).await;
        // The newest that fits; of all that is kept, which is not all that was said, the rest is left out.
        assert_eq!((heard.0.len(), heard.0[0].1, is_all), (1, 11, false), "{channel}");
        client.sync().await;
    }
    let metrics = server.request("GET", "/_parlor/metrics").operator().send().await.body;
    let used = |name: &str| -> f64 {
        let line = metrics.lines().find(|line| line.starts_with(&format!("{name}{{tenant=\"default\""))).expect(name);
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let (memory, stored) = (used("parlor_tenant_history_bytes"), used("parlor_tenant_storage_bytes"));
    assert!((2.0 * 1_000_000.0..2.0 * 1_048_576.0).contains(&memory), "five of them a channel: {memory}");
    assert!((1_000_000.0..1_100_000.0).contains(&stored), "{stored}");
}

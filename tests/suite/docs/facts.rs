//! Tables of the documentation that list what the server has: close codes and metrics.

use std::collections::BTreeSet;

use super::blocks::{first_cells, page};
use crate::harness::{Server, json, root, soon};
use hostile_guests::bare;

/// The code and the words of every close of the host's own, as they stand in its source.
fn closes() -> Vec<(String, String)> {
    let mut closes = Vec::new();
    for entry in std::fs::read_dir(root().join("host/src/protocol")).expect("the folder of wire formats") {
        let path = entry.expect("an entry").path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for part in text.split("Self::of(").skip(1) {
            let inside = part.split_once("\");").and_then(|(inside, _)| inside.split_once(", \""));
            // The metric's label comes first.
            let code = |before: &str| before.rsplit(", ").next().map(str::to_owned);
            closes.extend(inside.and_then(|(before, words)| Some((code(before)?, words.to_owned()))));
        }
    }
    closes
}

#[test]
fn the_page_of_close_codes_has_each_of_the_hosts_own() {
    let (page, closes) = (page("docs/clients/close-codes.md"), closes());
    assert!(closes.len() > 10, "only {closes:?}");
    for (code, words) in closes {
        let row = format!("| {code} | `{words}` |");
        assert!(page.text.contains(&row), "{} lacks the row {row}", page.path);
    }
}

/// The names of the metrics that the server tells of now.
async fn told_now(server: &Server) -> BTreeSet<String> {
    let metrics = server.request("GET", "/_parlor/metrics").operator().send().await.body;
    let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|rest| rest.split(' ').next()).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_page_of_metrics_has_each_of_them_and_no_other() {
    // A metric with labels is told of once it counts something: a turn that fails, a socket that is closed, and a
    // client that comes back to nothing.
    let traps = bare(&[("in handle", "unreachable")]);
    let server =
        Server::builder().file("bare.wasm", traps).config("handler-metrics = true\n[limits]\nbad-frames = 0").start();
    let mut client = server.join("/bare?resume=nothing&got=0").await;
    client.send("say", json!({})).await;
    client.send_text("no frame").await;
    client.closed().await;
    let page = page("docs/operators/observe.md");
    let told: BTreeSet<String> = first_cells(page.section("## Metrics")).into_iter().collect();
    let served = soon("the failure and the close in the metrics", async {
        loop {
            let served = told_now(&server).await;
            if served.contains("parlor_failures") && served.contains("parlor_closed_sockets") {
                return served;
            }
        }
    });
    assert_eq!(told, served.await, "{}", page.path);
}

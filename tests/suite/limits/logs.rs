//! How much of a plugin comes into the operator's log, and what its author reads of it.

use crate::harness::guests::{answers, serve_calls};
use crate::harness::{Server, Value, json};

/// A plugin's log, as its author reads it.
async fn log_of(server: &Server, plugin: &str) -> Value {
    let answer = server.request("GET", &format!("/_parlor/api/plugins/{plugin}/log")).operator().send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn lines_with(server: &Server, words: &str) -> usize {
    server.log().iter().filter(|line| line.contains(words)).count()
}

#[tokio::test]
async fn what_a_plugin_logs_past_its_rate_is_counted_and_its_author_reads_it() {
    let server = serve_calls("log-bytes-per-second = 1\nlog-bytes-burst = 1500");
    let mut client = server.join("/calls?room=r").await;
    for number in 0..30 {
        answers(&mut client, json!([["log", "line {n}.", number]])).await;
    }
    server.wait_for_log(&["lines about default/calls were left out", "log-bytes-per-second"]).await;
    let logged = lines_with(&server, "guest: line ");
    assert!((2..25).contains(&logged), "{logged}");
    let log = log_of(&server, "default/calls").await;
    let lines = log["lines"].as_array().expect("lines");
    let said: Vec<_> = lines.iter().filter_map(|line| line["line"].as_str()).collect();
    let expected: Vec<_> = (0..30).map(|number| format!("line {number}.")).collect();
    assert_eq!(said, expected);
    assert_eq!((&lines[0]["room"], &lines[0]["level"]), (&json!("r"), &json!("info")));
    assert_eq!(log["left_out"], json!(30 - logged));
    let metrics = server.request("GET", "/_parlor/metrics").operator().send().await.body;
    let metric = format!("parlor_log_lines_left_out_total{{tenant=\"default\",plugin=\"calls\"}} {}", 30 - logged);
    assert!(metrics.contains(&metric), "{metrics}");
}

#[tokio::test]
async fn what_the_host_logs_about_a_plugin_has_a_rate_as_well() {
    let server = serve_calls("log-bytes-per-second = 1\nlog-bytes-burst = 700");
    let mut client = server.join("/calls").await;
    for _ in 0..8 {
        client.send("fail", json!([])).await;
        client.sync().await;
    }
    server.wait_for_log(&["lines about default/calls were left out"]).await;
    let told = lines_with(&server, "turn failed");
    assert!((1..5).contains(&told), "{told}: {:#?}", server.log());
}

#[tokio::test]
async fn the_plugins_of_a_tenant_share_a_rate_that_is_no_others() {
    let server = Server::builder()
        .guest_as("limit_calls", "acme/calls")
        .guest_as("limit_calls", "other/calls")
        .config("[tenants.acme.limits]\nlog-tenant-bytes-per-second = 1\nlog-tenant-bytes-burst = 1000")
        .start();
    let said = |words: &str| json!([["times", 30, "log", words]]);
    answers(&mut server.join("/t/acme/calls").await, said("by acme")).await;
    answers(&mut server.join("/t/other/calls").await, said("by other")).await;
    server.wait_for_log(&["lines about acme/calls were left out", "log-tenant-bytes-per-second"]).await;
    assert_eq!(lines_with(&server, "guest: by other"), 30);
    assert!(lines_with(&server, "guest: by acme") < 10);
    assert_eq!(log_of(&server, "acme/calls").await["lines"].as_array().map(Vec::len), Some(30));
}

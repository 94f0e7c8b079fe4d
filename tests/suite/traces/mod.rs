//! Spans for OpenTelemetry: what the operator's collector hears, and that nobody waits for it.

mod collector;

use std::net::TcpListener;

use self::collector::Collector;
use crate::harness::{Builder, Client, Server, json};
use crate::metrics::{figure, scrape};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";
/// The trace of somebody who does not want it told.
const UNTOLD: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Comes in with a request that is part of a trace.
async fn enter_in_trace(server: &Server, path: &str, parent: &str) -> Client {
    let request = server.request("GET", path).websocket().header("traceparent", parent);
    request.upgrade().await.expect("a socket")
}

fn plain() -> Builder {
    Server::builder().guest("plain")
}

/// Has a room answer so often, one after the other.
async fn sync(client: &mut Client, times: u32) {
    for number in 0..times {
        client.send("sync", json!({ "number": number })).await;
        assert_eq!(client.next_event("synced").await["number"], number);
    }
}

#[tokio::test]
async fn a_turn_is_told_with_what_it_did_as_part_of_its_clients_trace() {
    let collector = Collector::start().await;
    let server = plain().config(&collector.config("")).env("OTEL_EXPORTER_OTLP_HEADERS", "x-scope=mine").start();
    let mut untold = enter_in_trace(&server, "/plain?room=r", &format!("00-{UNTOLD}-{SPAN}-00")).await;
    untold.next_event("hello").await;
    let mut ana = enter_in_trace(&server, "/plain?room=r", &format!("00-{TRACE}-{SPAN}-01")).await;
    ana.next_event("hello").await;
    untold.send("say", json!({})).await;
    ana.next_event("said").await;
    ana.send("say", json!({ "text": "hi" })).await;
    ana.next_event("said").await;
    ana.send("remember", json!({ "number": 7 })).await;
    ana.send("recall", json!({})).await;
    ana.next_event("recalled").await;

    let of_trace = |name: &'static str| collector.hears(name, move |span| span.name == name && span.trace == TRACE);
    let said = of_trace("turn say").await;
    assert_eq!((said.parent.as_str(), &said.service, &said.failed), (SPAN, &json!("parlor"), &None), "{said:?}");
    let of = |key: &str| said.attributes.get(key).cloned().unwrap_or_else(|| panic!("no {key}: {said:?}"));
    for (key, value) in [
        ("parlor.tenant", json!("default")),
        ("parlor.plugin", json!("plain")),
        ("parlor.version", server.plugin("default", "plain").await["version"].clone()),
        ("parlor.room", json!("r")),
        ("parlor.event", json!("say")),
        ("parlor.outcome", json!("committed")),
        ("parlor.emits", json!(1)),
        ("parlor.deliveries", json!(2)),
        ("parlor.reads", json!(0)),
        ("parlor.writes", json!(0)),
    ] {
        assert_eq!(of(key), value, "{key}: {said:?}");
    }
    for key in ["parlor.cpu_ns", "parlor.since_accepted_ns", "parlor.emit_bytes"] {
        assert!(of(key).as_i64().is_some_and(|number| number > 0), "{key}: {said:?}");
    }
    assert!(said.took_ns > 0 && said.took_ns < 60_000_000_000, "{said:?}");
    assert_eq!(of_trace("turn $connect").await.parent, SPAN);
    let remembered = of_trace("turn remember").await;
    assert_eq!(remembered.attributes["parlor.writes"], 1);
    let commit = of_trace("commit").await;
    assert_eq!((commit.parent, &commit.attributes["parlor.room"]), (remembered.id, &json!("r")));

    // What nobody began elsewhere begins a trace of its own.
    let opened = collector.hears("the opening", |span| span.name == "open room").await;
    assert_eq!((opened.parent.as_str(), &opened.attributes["parlor.reason"]), ("", &json!("open")), "{opened:?}");
    let deployed = collector.hears("the deployment", |span| span.name == "deploy").await;
    assert_eq!(deployed.attributes["parlor.reason"], "found at start", "{deployed:?}");
    assert!(collector.heard().iter().all(|span| span.trace != UNTOLD), "its client wants no span");
    let heads = collector.heads();
    assert!(heads.iter().all(|head| head.starts_with("post /v1/traces ")), "{heads:?}");
    assert!(heads.iter().all(|head| head.contains("\r\nx-scope: mine\r\n")), "{heads:?}");
}

#[tokio::test]
async fn a_turn_that_fails_is_an_error_with_its_code() {
    let collector = Collector::start().await;
    let server = Server::builder().guest_as("fault_turns", "turns").config(&collector.config("")).start();
    let mut ana = server.enter("/turns?room=r&user=ana").await;
    ana.send("attempt", json!({ "how": "panic" })).await;
    let failed = collector.hears("the failure", |span| span.name == "turn attempt").await;
    assert_eq!(failed.attributes["parlor.outcome"], "trap", "{failed:?}");
    assert!(failed.failed.as_ref().is_some_and(|why| why.contains("trapped")), "{failed:?}");
    let anew = collector
        .hears("the new instance", |span| span.name == "open room" && span.attributes["parlor.reason"] == "crash");
    assert_eq!(anew.await.attributes["parlor.plugin"], "turns");
}

#[tokio::test]
async fn a_part_of_the_traces_is_told_and_a_tenant_has_a_rate() {
    let collector = Collector::start().await;
    let server = plain().config(&collector.config("sample = 0\n[limits]\nspans-per-second = 20")).start();
    let mut untraced = server.enter_after("/plain?room=r", "hello").await;
    sync(&mut untraced, 50).await;
    // Its client asks for all of them.
    let mut ana = enter_in_trace(&server, "/plain?room=r", &format!("00-{TRACE}-{SPAN}-01")).await;
    sync(&mut ana, 500).await;
    collector.hears("a turn", |span| span.name == "turn sync").await;
    assert!(collector.heard().iter().all(|span| span.trace == TRACE), "{:?}", collector.heard());
    let figures = scrape(&server).await;
    assert!(figure(&figures, "parlor_spans_lost_total{reason=\"rate\"}") > 0.0);
    assert!(figure(&figures, "parlor_spans_sent_total") > 0.0);
}

/// It takes connections, as the system does for it, and reads nothing. How many spans wait for it is a matter of the library's tests.
#[tokio::test]
async fn a_collector_that_never_answers_holds_up_no_turn() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let otlp = silent.local_addr().expect("an address");
    let config = format!("[traces]\notlp = \"http://{otlp}\"\n[limits]\nspans-per-second = 1000000");
    let mut server = plain().config(&config).start();
    let mut ana = server.enter_after("/plain?room=r", "hello").await;
    sync(&mut ana, 2_000).await;
    assert_eq!(figure(&scrape(&server).await, "parlor_spans_sent_total"), 0.0);
    drop(ana);
    assert!(server.terminate().await.success(), "its end does not wait for the collector");
}

#[tokio::test]
async fn a_collector_that_is_down_is_told_in_the_log_and_counted() {
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let server = plain().config(&format!("[traces]\notlp = \"http://{gone}\"")).start();
    server.enter_after("/plain?room=r", "hello").await;
    let line = server.wait_for_log(&["the collector of traces does not take spans", "are lost"]).await;
    assert!(line.contains("cause="), "{line}");
    assert!(figure(&scrape(&server).await, "parlor_spans_lost_total{reason=\"collector\"}") > 0.0);
}

//! A configuration that cannot be meant ends the start, with one line that says where.

use crate::harness::{Builder, Server};

/// The server ends with exit code 1 and its last line says this; it prints nothing else of the kind.
fn assert_refused(builder: Builder, words: &[&str]) {
    let ended = builder.try_start().expect_err("the server must not serve");
    assert_eq!(ended.status.code(), Some(1), "{:#?}", ended.log);
    let last = ended.log.last().expect("a line that says why");
    assert!(last.starts_with("parlor: ") && words.iter().all(|word| last.contains(word)), "{words:?}: {last}");
    assert_eq!(ended.log.iter().filter(|line| line.starts_with("parlor: ")).count(), 1, "{:#?}", ended.log);
}

fn with(config: &str) -> Builder {
    Server::builder().config(config)
}

#[test]
fn an_unknown_key() {
    assert_refused(with("lisen = \"127.0.0.1:0\""), &["parlor.toml", "lisen"]);
    assert_refused(with("[limits]\nturn-cpu = 5"), &["parlor.toml", "turn-cpu"]);
    assert_refused(with("[tenants.acme]\nhost = []"), &["parlor.toml", "host"]);
}

#[test]
fn a_value_of_the_wrong_kind() {
    assert_refused(with("[limits]\nturn-cpu-ms = \"5\""), &["parlor.toml", "turn-cpu-ms"]);
    assert_refused(with("[limits]\nframe-bytes = -1"), &["parlor.toml", "frame-bytes"]);
    assert_refused(with("listen = \"nowhere\""), &["parlor.toml", "line 1", "listen"]);
}

#[test]
fn a_collector_that_cannot_be_one() {
    assert_refused(with("[traces]\notlp = \"collector:4318\""), &["traces.otlp", "http://"]);
    assert_refused(with("[traces]\notlp = \"http://collector\"\nsample = 2"), &["traces.sample", "0 to 1"]);
    assert_refused(with("[traces]\notlp = \"https://c\"\nca-file = \"nowhere.pem\""), &["traces.ca-file", "nowhere"]);
    assert_refused(with("[traces]\notlp = \"http://c\"\nsampling = 1"), &["parlor.toml", "sampling"]);
}

/// Not even where it is wrong.
#[test]
fn a_secret_is_not_printed() {
    let ended = with("operator-token = 12345678").try_start().expect_err("the server must not serve");
    assert!(!ended.log.iter().any(|line| line.contains("12345678")), "{:#?}", ended.log);
}

#[test]
fn a_bound_of_zero() {
    for key in ["turn-cpu-ms", "memory-bytes", "frame-bytes", "mailbox-events", "idle-socket-ms", "call-wall-ms"] {
        assert_refused(with(&format!("[limits]\n{key} = 0")), &[&format!("limits.{key}")]);
    }
}

#[test]
fn a_name_that_is_none() {
    assert_refused(with("[tenants.Acme]"), &["tenants.Acme", "a-z"]);
    assert_refused(with("[tenants.acme.plugins.\"a b\"]"), &["tenants.acme.plugins.a b", "a-z"]);
}

#[test]
fn a_token_that_is_too_short() {
    assert_refused(with("operator-token = \"short\"").without_token(), &["operator-token", "16"]);
}

#[test]
fn a_configuration_that_is_not_there() {
    assert_refused(Server::builder().flag("--config", "nowhere.toml"), &["cannot read nowhere.toml"]);
}

#[test]
fn an_address_that_is_taken() {
    let server = Server::builder().start();
    let address = server.address().to_string();
    assert_refused(Server::builder().flag("--listen", &address), &["cannot listen on", &address]);
}

#[test]
fn a_file_that_is_no_toml() {
    assert_refused(with("limits = ["), &["parlor.toml"]);
}

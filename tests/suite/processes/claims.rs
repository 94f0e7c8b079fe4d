//! One server at a time uses a data folder, and one a port.

use crate::harness::{Server, json};

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused_and_the_first_goes_on() {
    let mut first = Server::with_guest("plain");
    let mut client = first.enter_after("/plain", "hello").await;
    let data = first.folder().join("data");
    let second = Server::builder().guest("plain").flag("--data", data.to_str().expect("text")).try_start();
    let second = second.expect_err("the data folder is in use");
    let words = second.log.last().expect("a reason");
    let process = format!("process {};", first.process());
    assert!(words.contains("is in use by another server") && words.contains(&process), "{words}");
    assert_eq!(second.status.code(), Some(1));
    client.send("say", json!({ "n": 1 })).await;
    client.expect("said").await;
    // A crash leaves the file behind and nobody who holds it.
    first.kill();
    first.start_again();
    first.enter_after("/plain", "hello").await;
}

#[tokio::test]
async fn a_port_in_use_is_told_before_anything_is_loaded() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let refused = Server::builder().guest("plain").flag("--listen", &address).try_start().expect_err("it is in use");
    let last = refused.log.last().expect("a reason");
    assert!(last.contains(&format!("cannot listen on {address}")) && last.contains("in use"), "{last}");
    assert!(!refused.log.iter().any(|line| line.contains("loaded") || line.contains("instances at once")));
    let refused = Server::builder().flag("--listen", "no-such-host.invalid:1").try_start().expect_err("no such name");
    assert!(refused.log.last().expect("a reason").contains("no-such-host.invalid:1"));
}

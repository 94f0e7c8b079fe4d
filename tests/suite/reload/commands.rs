//! `parlor plugins` and `parlor rollback`, as an operator types them.

use std::net::TcpListener;

use super::{replace, serves, version, write};
use crate::harness::command::{Said, parlor};
use crate::harness::guests::saying;
use crate::harness::{Server, TOKEN};

fn run(server: &Server, arguments: &[&str]) -> Said {
    std::fs::write(server.folder().join("token"), format!("{TOKEN}\n")).expect("a file");
    let url = format!("http://{}", server.address());
    parlor(server.folder(), &[arguments, &["--server", &url, "--token-file", "token"]].concat())
}

#[tokio::test]
async fn what_serves_is_printed_and_rolled_back() {
    let server = Server::builder().file("bare.wasm", saying("one")).file("acme/chat.wasm", saying("one")).start();
    let first = version(&server, "default/bare").await;
    let _client = server.join("/bare").await;
    replace(&server, "bare.wasm", &saying("two"));
    serves(&server, "/bare", "two").await;
    let second = version(&server, "default/bare").await;
    write(&server, "acme/chat.wasm", b"junk");
    server.wait_for_log(&["chat.wasm is not served"]).await;

    let said = run(&server, &["plugins"]);
    assert!(said.success, "{said:?}");
    let line = |words: &[&str]| said.out.lines().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(line(&["default/bare", &second, "serving", "/bare"]), "{}", said.out);
    assert!(line(&["acme/chat", &first, "serving", "/t/acme/bare"]), "{}", said.out);
    assert!(line(&["was refused", "no WebAssembly component"]), "{}", said.out);

    let said = run(&server, &["plugins", "default/bare"]);
    for words in [&first, &second, "current", "HISTORY", "deployed", "in place of"] {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
    let said = run(&server, &["plugins", "default/bare", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(json["version"], second);

    let said = run(&server, &["rollback", "default/bare"]);
    assert!(said.success && said.out.contains(&format!("default/bare: version {first} serves at /bare")), "{said:?}");
    serves(&server, "/bare", "one").await;
    let said = run(&server, &["rollback", "default/bare", &second]);
    assert!(said.success && said.out.contains(&second), "{said:?}");
    let said = run(&server, &["rollback", "default/bare", &second]);
    assert!(said.success && said.out.contains("serves already"), "{said:?}");
}

#[tokio::test]
async fn what_goes_wrong_is_said_in_one_line() {
    let server = Server::builder().file("bare.wasm", saying("one")).start();
    let url = format!("http://{}", server.address());
    std::fs::write(server.folder().join("wrong"), "not the token of anybody").expect("a file");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let nowhere = format!("http://{free}");
    for (arguments, words) in [
        (&["plugins", "--server", &nowhere][..], "no server listens at http://127.0.0.1:"),
        (&["plugins", "--server", &url], "the server wants a token: set PARLOR_OPERATOR_TOKEN, or give --token-file"),
        (&["plugins", "--server", &url, "--token-file", "wrong"], "the server does not take this token"),
        (&["plugins", "--server", &url, "--token-file", "missing"], "--token-file: cannot read missing"),
        (&["plugins", "--server", "ftp://parlor.example"], "is not http://HOST:PORT or https://HOST:PORT"),
        (&["rollback", "bare"], "\"bare\" is not TENANT/PLUGIN"),
    ] {
        let said = parlor(server.folder(), arguments);
        assert!(!said.success && said.err.lines().count() == 1 && said.err.contains(words), "{arguments:?}: {said:?}");
    }
    for (arguments, words) in [
        (&["plugins", "default/nobody"][..], "there is no plugin default/nobody"),
        (&["rollback", "default/bare"], "no version of default/bare is kept that was served before this one"),
        (&["rollback", "default/bare", "0123456789ab"], "no version \"0123456789ab\" of default/bare is kept"),
    ] {
        let said = run(&server, arguments);
        assert!(!said.success && said.err.contains(words), "{arguments:?}: {said:?}");
    }
}

//! Whom a trusted proxy's headers name, and who may say so.

use std::time::Instant;

use crate::authorize::told;
use crate::harness::Server;

fn server(config: &str) -> Server {
    let trusted = "trusted-proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]";
    Server::builder().guest("door").config(trusted).config(config).start()
}

async fn seen(server: &Server, headers: &[(&str, &str)]) -> (String, String) {
    let request = told(server, "/door?a=1", headers).await;
    let text = |key: &str| request[key].as_str().expect("a text").to_owned();
    (text("remote"), text("uri"))
}

#[tokio::test]
async fn headers_are_believed_from_trusted_proxies_only() {
    let headers = [
        ("host", "inner"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "app.example"),
        ("x-forwarded-prefix", "/rt"),
        ("forwarded", "for=198.51.100.1;proto=https;host=other.example"),
    ];
    let direct = ("127.0.0.1".to_owned(), "ws://inner/door?a=1".to_owned());
    assert_eq!(seen(&Server::with_guest("door"), &headers).await, direct);
    let others = "trusted-proxies = [\"10.0.0.0/8\"]\nforwarded-by = \"forwarded\"";
    assert_eq!(seen(&Server::builder().guest("door").config(others).start(), &headers).await, direct);
    assert_eq!(seen(&server("forwarded-by = \"none\""), &headers).await, direct);
}

/// Most proxies pass on what a client writes into a header that they do not know.
#[tokio::test]
async fn one_source_is_believed_and_what_a_client_writes_changes_nothing() {
    for (by, header, honest, forged) in [
        ("x-forwarded-for", "x-forwarded-for", "203.0.113.7", ("forwarded", "for=198.51.100.1;proto=https;host=evil")),
        ("forwarded", "forwarded", "for=203.0.113.7", ("x-forwarded-for", "198.51.100.1")),
    ] {
        let server = server(&format!("forwarded-by = \"{by}\""));
        let honest = [("host", "inner"), (header, honest)];
        let told = seen(&server, &honest).await;
        assert_eq!(told, ("203.0.113.7".to_owned(), "ws://inner/door?a=1".to_owned()), "{by}");
        let forged =
            [&honest[..], &[forged, ("x-real-ip", "198.51.100.1"), ("true-client-ip", "198.51.100.1")]].concat();
        assert_eq!(seen(&server, &forged).await, told, "{by}");
    }
}

#[tokio::test]
async fn the_request_is_told_as_the_client_of_the_proxy_saw_it() {
    let lists = server("forwarded-by = \"x-forwarded-for\"");
    for (headers, uri) in [
        (&[("x-forwarded-proto", "wss")][..], "wss://inner:80/door?a=1"),
        (&[("x-forwarded-proto", "https,https")], "wss://inner:80/door?a=1"),
        (&[("x-forwarded-proto", "https"), ("x-forwarded-host", "app.example")], "wss://app.example/door?a=1"),
        (&[("x-forwarded-proto", "https"), ("x-forwarded-port", "8443")], "wss://inner:8443/door?a=1"),
        (&[("x-forwarded-host", "app.example"), ("x-forwarded-prefix", "/rt")], "ws://app.example/rt/door?a=1"),
    ] {
        let headers = [headers, &[("host", "inner:80"), ("x-forwarded-for", "2001:db8::7")]].concat();
        assert_eq!(seen(&lists, &headers).await, ("2001:db8::7".to_owned(), uri.to_owned()));
    }
    let standard = server("forwarded-by = \"forwarded\"");
    let line = "for=\"[2001:db8::7]:443\";host=app.example;proto=https, for=10.0.0.2;proto=http";
    let uri = "wss://app.example/door?a=1".to_owned();
    assert_eq!(seen(&standard, &[("forwarded", line)]).await, ("2001:db8::7".to_owned(), uri));
}

/// Else a client who names another host to a careless proxy would come past that proxy's rules for it.
#[tokio::test]
async fn a_host_that_is_a_tenants_decides_before_one_that_is_forwarded() {
    let config = "[tenants.acme]\nhosts = [\"acme.example\"]\n[tenants.blue]\nhosts = [\"blue.example\"]";
    let server = Server::builder()
        .guest("door")
        .guest_as("door", "acme/door")
        .config("trusted-proxies = [\"127.0.0.1\"]\nforwarded-by = \"x-forwarded-for\"")
        .config(config)
        .start();
    let cookie = ("cookie", "a=b");
    let forwarded = told(&server, "/door", &[("host", "inner"), ("x-forwarded-host", "acme.example."), cookie]).await;
    assert_eq!((&forwarded["cookie"], &forwarded["uri"]), (&"a=b".into(), &"ws://acme.example./door".into()));
    let refused = server.request("GET", "/door").websocket();
    let refused = refused.header("host", "blue.example").header("x-forwarded-host", "acme.example").send().await;
    assert_eq!(refused.status, 404, "blue serves nothing");
}

#[tokio::test]
async fn the_bounds_of_an_address_hold_for_whoever_writes_headers() {
    let server = server(
        "forwarded-by = \"x-forwarded-for\"\n[limits]\nupgrades-per-address-per-second = 1\nupgrades-per-address-burst = 5",
    );
    let (mut accepted, since) = (0, Instant::now());
    for number in 0..20 {
        let request = server.request("GET", "/door").websocket();
        let request = request.header("forwarded", &format!("for=198.51.100.{number}"));
        // The nearest proxy adds the last hop; what stands before it is the client's own word.
        let request = request.header("x-forwarded-for", &format!("198.51.100.{number}, 203.0.113.7"));
        accepted += u64::from(request.upgrade().await.is_ok());
    }
    let most = 5 + 1 + since.elapsed().as_secs();
    assert!((5..=most).contains(&accepted), "{accepted} of 20 upgrades of one address");
}

#[tokio::test]
async fn the_operator_is_told_what_is_believed_and_of_proxies_that_name_nobody() {
    let server = server("");
    server.wait_for_log(&["WARN", "trusted-proxies is set without forwarded-by", "X-Forwarded-For"]).await;
    assert_eq!(seen(&server, &[("forwarded", "for=203.0.113.7")]).await.0, "127.0.0.1");
    server.wait_for_log(&["WARN", "names no client", "x-forwarded-for", "127.0.0.1"]).await;
}

#[test]
fn a_source_that_believes_nobody_or_is_none_is_told() {
    let start = |builder: crate::harness::Builder| {
        builder.try_start().expect_err("a server with such a configuration").log.join("\n")
    };
    for (config, words) in [
        ("forwarded-by = \"forwarded\"", "forwarded-by = \"forwarded\" believes nobody without trusted-proxies"),
        ("forwarded-by = \"X-Real-IP\"", "forwarded-by"),
        ("trusted-proxies = [\"10.0.0.0/99\"]", "trusted-proxies: \"10.0.0.0/99\""),
    ] {
        let log = start(Server::builder().config(config));
        assert!(log.contains(words), "{config}: {log}");
    }
    let by_variable = start(Server::builder().env("PARLOR_FORWARDED_BY", "x-real-ip"));
    assert!(by_variable.contains("PARLOR_FORWARDED_BY") && by_variable.contains("proxy-protocol"), "{by_variable}");
}

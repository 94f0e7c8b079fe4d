//! Logins of browsers.

use super::{ACME, cookie_of, log_in, logged_in, of_page, tenants};
use crate::harness::{Server, TOKEN, json};

const SESSION: &str = "/_parlor/api/session";
const PLUGINS: &str = "/_parlor/api/plugins";

#[tokio::test]
async fn a_token_gives_a_cookie_that_reads_and_acts_until_somebody_logs_out() {
    let server = Server::builder().guest("plain").config(&tenants()).start();
    let nobody = server.request("GET", SESSION).send().await;
    assert_eq!(nobody.json(), json!({ "caller": null, "tenant": null, "dev": false }));
    let wrong = log_in(&server, "wrong-wrong-wrong-wrong").send().await;
    assert_eq!((wrong.status, wrong.header("set-cookie"), wrong.header("www-authenticate")), (401, None, None));

    let answer = log_in(&server, TOKEN).send().await;
    let set = answer.header("set-cookie").expect("a cookie").to_owned();
    // On this machine itself there is no TLS, and no browser would keep a cookie that wants it.
    assert!(set.starts_with("parlor=") && !set.contains("Secure"), "{set}");
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Max-Age=43200"), "{set}");
    let cookie = cookie_of(&answer);
    assert!(!cookie.contains(TOKEN));

    let lift = "/_parlor/api/plugins/default/plain/lift";
    let with = |method, path| server.request(method, path).header("cookie", &cookie);
    assert_eq!(with("GET", SESSION).send().await.json()["caller"], "operator");
    assert_eq!(with("GET", PLUGINS).send().await.status, 200);
    assert_eq!(of_page(with("POST", lift)).send().await.status, 200);

    let out = of_page(with("DELETE", SESSION)).send().await;
    assert!(out.header("set-cookie").is_some_and(|set| set.contains("Max-Age=0")), "{out:?}");
    assert_eq!(with("GET", PLUGINS).send().await.status, 401);
}

#[tokio::test]
async fn a_foreign_page_cannot_act_with_the_cookie_of_somebody_who_is_logged_in() {
    let server = Server::builder().guest("plain").config(&tenants()).start();
    let cookie = logged_in(&server, TOKEN).await;
    let lift = "/_parlor/api/plugins/default/plain/lift";
    for (site, header) in
        [(None, true), (Some("cross-site"), true), (Some("same-site"), true), (Some("same-origin"), false)]
    {
        let mut request = server.request("POST", lift).header("cookie", &cookie);
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        if header {
            request = request.header("parlor-console", "1");
        }
        assert_eq!(request.send().await.status, 401, "{site:?} {header}");
    }
    // Nor does it read, nor log anybody in or out.
    let read = server.request("GET", PLUGINS).header("cookie", &cookie).header("sec-fetch-site", "cross-site");
    assert_eq!(read.send().await.status, 401);
    let foreign =
        |method| server.request(method, SESSION).header("sec-fetch-site", "cross-site").header("cookie", &cookie);
    assert_eq!(foreign("POST").json(&json!({ "token": TOKEN })).send().await.status, 403);
    assert_eq!(foreign("DELETE").send().await.status, 403);
    assert_eq!(server.request("GET", PLUGINS).header("cookie", &cookie).send().await.status, 200);
}

#[tokio::test]
async fn without_tls_nobody_logs_in_from_elsewhere_and_with_it_the_cookie_wants_it() {
    let server = Server::builder().guest("plain").config(&tenants()).start();
    let plain = log_in(&server, TOKEN).header("host", "parlor.example").header("origin", "http://parlor.example");
    let refused = plain.send().await;
    assert_eq!((refused.status, refused.header("set-cookie")), (403, None), "{refused:?}");
    let tls = log_in(&server, TOKEN).header("host", "parlor.example").header("origin", "https://parlor.example");
    let answer = tls.send().await;
    let set = answer.header("set-cookie").expect("a cookie");
    assert!(set.starts_with("__Host-parlor=") && set.contains("; Path=/; Secure; "), "{set}");
    let with = |host| server.request("GET", PLUGINS).header("host", host).header("cookie", &cookie_of(&answer));
    assert_eq!(with("parlor.example").send().await.status, 200);
}

#[tokio::test]
async fn a_tenants_token_shows_its_own_alone_and_its_host_name_is_for_no_other() {
    let config =
        format!("{}\n[tenants.hosted]\ntoken = \"the-token-of-hosted\"\nhosts = [\"hosted.example\"]", tenants());
    let server = Server::builder().guest("plain").guest_as("plain", "acme/mine").config(&config).start();
    let cookie = logged_in(&server, ACME).await;
    let with = |path| server.request("GET", path).header("cookie", &cookie);
    assert_eq!(with(SESSION).send().await.json(), json!({ "caller": "tenant", "tenant": "acme", "dev": false }));
    let plugins = with(PLUGINS).send().await.json();
    assert_eq!(plugins["plugins"].as_array().expect("a list").len(), 1);
    assert_eq!(with("/_parlor/api/plugins/default/plain").send().await.status, 404);
    assert_eq!(with("/_parlor/metrics").send().await.status, 403);
    // The tenant's own pages are of the same origin there, and could act as whoever is logged in.
    let at_host =
        |token| log_in(&server, token).header("host", "hosted.example").header("origin", "https://hosted.example");
    assert_eq!(at_host(TOKEN).send().await.status, 403);
    assert_eq!(at_host(ACME).send().await.status, 403);
    assert_eq!(at_host("the-token-of-hosted").send().await.status, 200);
}

#[tokio::test]
async fn a_plugins_authorize_does_not_see_the_cookie() {
    let config = "[tenants.acme]\nhosts = [\"acme.example\"]";
    let server = Server::builder().guest_as("door", "acme/door").config(config).start();
    let told = async |cookie: &str| {
        let request =
            server.request("GET", "/door").websocket().header("host", "acme.example").header("cookie", cookie);
        let mut client = request.upgrade().await.expect("a socket");
        client.event().await.to_string()
    };
    let seen = told("theme=dark; __Host-parlor=secret; parlor=secret").await;
    assert!(!seen.contains("secret"), "{seen}");
}

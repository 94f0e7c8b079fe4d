//! What the console rests on: logins, the live stream, costs, looking into rooms.

mod live;
mod login;
mod rooms;
mod writes;

use crate::harness::{Request, Response, Server, TOKEN, json};

const ACME: &str = "the-token-of-acme";
const OTHER: &str = "the-token-of-other";

/// A server with two tenants that have a token each.
fn tenants() -> String {
    format!("[tenants.acme]\ntoken = \"{ACME}\"\n[tenants.other]\ntoken = \"{OTHER}\"")
}

/// A request as our own page sends it.
fn of_page(request: Request) -> Request {
    request.header("sec-fetch-site", "same-origin").header("parlor-console", "1")
}

fn log_in(server: &Server, token: &str) -> Request {
    of_page(server.request("POST", "/_parlor/api/session")).json(&json!({ "token": token }))
}

/// The cookie that an answer sets, as a browser sends it back.
fn cookie_of(response: &Response) -> String {
    let set = response.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {response:?}"));
    set.split(';').next().expect("a cookie").to_owned()
}

/// Logs in; answers the cookie.
async fn logged_in(server: &Server, token: &str) -> String {
    let answer = log_in(server, token).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    cookie_of(&answer)
}

fn operator() -> String {
    format!("Bearer {TOKEN}")
}

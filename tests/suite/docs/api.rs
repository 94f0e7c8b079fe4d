//! The requests of the pages: each is sent, by curl as it stands there, to a real server with the plugin `chat` of the
//! tenant `acme`, and its answer has the shape that the page shows.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::blocks::{Block, Page, pages};
use crate::harness::command::said;
use crate::harness::{Client, Server, TOKEN, Value, plugin};

const CONFIG: &str =
    "console-writes = true\n[tenants.acme]\nhosts = [\"acme.example\"]\norigins = [\"https://acme.example\"]\n";
const SERVER: &str = "http://127.0.0.1:7070";

/// Sends a block's request; answers its status and its body.
fn send(server: &Server, block: &Block) -> (u16, String) {
    let text = block.text.replace(SERVER, &format!("http://{}", server.address()));
    let curl = "curl() { command curl -sS -o answer -w '%{http_code}' \"$@\"; }";
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{curl}\n{text}")]).env("TOKEN", TOKEN);
    let said = said(shell, server.folder());
    let status = said.out.trim().parse().unwrap_or_else(|why| panic!("{}: {why}: {said:?}", block.place()));
    (status, fs::read_to_string(server.folder().join("answer")).expect("curl wrote the answer"))
}

/// Whether a value has the shape of another: the same keys and kinds of values. Null may be anything; an object with the
/// names of versions as its keys, or with none, holds whatever there is.
fn differs(real: &Value, shown: &Value, place: &str) -> Option<String> {
    match (real, shown) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Object(real), Value::Object(shown)) => {
            let is_version = |key: &String| key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
            if shown.keys().all(is_version) {
                return None;
            }
            let keys = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<BTreeSet<_>>();
            let (has, tells) = (keys(real), keys(shown));
            if has != tells {
                return Some(format!("{place} has the keys {has:?}, the page shows {tells:?}"));
            }
            real.iter().find_map(|(key, value)| differs(value, &shown[key], &format!("{place}.{key}")))
        }
        (Value::Array(real), Value::Array(shown)) => {
            let shown = shown.first()?;
            real.iter().enumerate().find_map(|(at, value)| differs(value, shown, &format!("{place}[{at}]")))
        }
        (Value::Bool(_), Value::Bool(_)) | (Value::Number(_), Value::Number(_)) => None,
        (Value::String(_), Value::String(_)) => None,
        _ => Some(format!("{place} is {real}, the page shows {shown}")),
    }
}

/// The request of each block with curl, with what the page says that it is answered.
fn requests(page: &Page) -> Vec<(Block, Option<Block>)> {
    let blocks = page.blocks();
    let is_request = |block: &Block| block.language == "sh" && block.text.contains("curl ");
    let is_answer = |block: &&Block| block.marker.as_ref().is_some_and(|marker| marker.starts_with("answer: "));
    let at = (0..blocks.len()).filter(|at| is_request(&blocks[*at]));
    at.map(|at| (blocks[at].clone(), blocks.get(at + 1).filter(is_answer).cloned())).collect()
}

async fn check(page: &Page) -> usize {
    let server = Server::builder().config(CONFIG).start();
    fs::create_dir(server.folder().join("dist")).expect("a folder");
    fs::write(server.folder().join("dist/chat.wasm"), plugin("chat")).expect("a component");
    let requests = requests(page);
    let mut ada: Option<Client> = None;
    for (request, answer) in &requests {
        let (status, body) = send(&server, request);
        let Some(answer) = answer else {
            assert_eq!(status, 200, "{}: {body}", request.place());
            continue;
        };
        let wanted = answer.marker.as_deref().and_then(|marker| marker.strip_prefix("answer: ")).expect("a status");
        assert_eq!(status.to_string(), wanted, "{}: {body}", answer.place());
        let json = |text: &str| serde_json::from_str(text).unwrap_or_else(|why| panic!("{}: {why}", answer.place()));
        let wrong = differs(&json(&body), &json(&answer.text), "the answer");
        assert_eq!(wrong, None, "{}: {body}", answer.place());
        // From the upload on somebody is there, as the page shows.
        if ada.is_none() && status == 201 {
            ada = Some(server.enter_after("/t/acme/ws?room=lobby&userId=ada", "welcome").await);
        }
    }
    requests.len()
}

#[tokio::test]
async fn every_request_is_answered_as_the_page_shows() {
    let mut count = 0;
    for page in pages() {
        if page.text.contains("curl ") {
            count += check(&page).await;
        }
    }
    assert!(count >= 12, "only {count} requests were found");
}

#[test]
fn every_route_of_the_api_is_in_its_page() {
    let page = super::blocks::page("docs/platforms/api.md");
    for route in [
        "PUT plugins/T/P",
        "GET plugins",
        "GET plugins/T/P",
        "POST plugins/T/P/rollback",
        "POST plugins/T/P/lift",
        "GET rooms/T/P",
        "GET rooms/T/P/R",
        "GET rooms/T/P/R/sockets",
        "POST rooms/T/P/R/emit",
        "GET tenants",
        "GET tenants/T",
    ] {
        assert!(page.text.contains(&format!("`{route}`")), "{} lacks {route}", page.path);
    }
}

#[test]
fn an_answer_of_another_shape_is_found() {
    let differs = |real: &str, shown: &str| {
        let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        differs(&json(real), &json(shown), "it")
    };
    for (real, shown) in
        [(r#"{"a":1}"#, r#"{"b":1}"#), (r#"{"a":1}"#, r#"{"a":"1"}"#), (r#"[{"a":1}]"#, r#"[{"a":1,"b":2}]"#)]
    {
        assert!(differs(real, shown).is_some(), "{real} {shown}");
    }
    assert_eq!(differs(r#"{"a":null,"c":{"012345abcdef":1}}"#, r#"{"a":[1],"c":{"aaaaaaaaaaaa":3}}"#), None);
}

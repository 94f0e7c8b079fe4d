//! `rust_socketio`, driven line by line: see `tests/clients/README.md`. It sends bytes as the only argument, and answers no event.

use std::io::{BufRead as _, stdin};
use std::time::Duration;

use anyhow::{Context as _, bail};
use data_encoding::BASE64;
use rust_socketio::client::Client;
use rust_socketio::{ClientBuilder, Event, Payload, TransportType};
use serde_json::{Value, json};

/// How long it waits for an acknowledgement.
const ACK_WAIT: Duration = Duration::from_secs(20);

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (url, transport) = arguments.next().zip(arguments.next()).context("a URL and a transport are needed")?;
    let mut client = None;
    for text in stdin().lock().lines() {
        let line: Value = serde_json::from_str(&text?)?;
        match &mut client {
            None => client = connect(&url, &transport, &line["connect"])?,
            Some(client) => obey(client, &line)?,
        }
    }
    Ok(())
}

fn say(line: &Value) {
    println!("{line}");
}

/// None where the server refused.
fn connect(url: &str, transport: &str, wish: &Value) -> anyhow::Result<Option<Client>> {
    let transport = match transport {
        "websocket" => TransportType::Websocket,
        "polling" => TransportType::Polling,
        "upgrade" => TransportType::Any,
        other => bail!("{other} is no transport"),
    };
    let query: Vec<String> = wish["query"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let mut builder = ClientBuilder::new(format!("{url}?{}", query.join("&")));
    if wish["auth"].is_object() {
        builder = builder.auth(wish["auth"].clone());
    }
    let connected = builder
        .namespace(wish["namespace"].as_str().unwrap_or("/"))
        .transport_type(transport)
        .reconnect(true)
        .reconnect_on_disconnect(true)
        .reconnect_delay(100, 500)
        .on(Event::Connect, |_, _| say(&json!({ "connected": true })))
        .on(Event::Close, |_, _| say(&json!({ "disconnected": true })))
        .on(Event::Error, |payload, _| say(&refusal(&payload)))
        .on_any(|event, payload, _| {
            let mut came = vec![json!(event.as_str())];
            came.extend(shown(payload));
            say(&json!({ "event": came }));
        })
        .connect();
    Ok(Some(connected?))
}

fn refusal(payload: &Payload) -> Value {
    let Payload::Text(values) = payload else { return json!({ "refused": {} }) };
    let text = values.first().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let text = text.unwrap_or_default();
    // It gives the packet's data within words of its own.
    let data =
        text.find('{').and_then(|begin| text.get(begin..)).and_then(|json| serde_json::from_str::<Value>(json).ok());
    let data = data.unwrap_or_else(|| json!({ "message": text }));
    json!({ "refused": { "message": data["message"], "data": data["data"] } })
}

fn obey(client: &Client, line: &Value) -> anyhow::Result<()> {
    if let Some(emit) = line["emit"].as_array() {
        let (event, payload) = emitted(emit)?;
        client.emit(event, payload)?;
    } else if let Some(request) = line["request"].as_array() {
        let (event, payload) = emitted(request)?;
        client.emit_with_ack(event, payload, ACK_WAIT, |answer, _| {
            // It gives the arguments of an acknowledgement as one array.
            let mut answer = shown(answer);
            if let [Value::Array(arguments)] = answer.as_slice() {
                answer = arguments.clone();
            }
            say(&json!({ "ack": answer }));
        })?;
    } else if line["leave"] == true {
        client.disconnect()?;
    }
    Ok(())
}

/// The event and the arguments of a line.
fn emitted(line: &[Value]) -> anyhow::Result<(&str, Payload)> {
    let (event, arguments) = line.split_first().context("an event has a name")?;
    let event = event.as_str().context("an event's name is a string")?;
    let payload = match arguments {
        [Value::Object(only)] if only.contains_key("$bytes") => {
            let base64 = only["$bytes"].as_str().context("bytes are base64")?;
            Payload::from(BASE64.decode(base64.as_bytes())?)
        }
        _ => Payload::Text(arguments.to_vec()),
    };
    Ok((event, payload))
}

/// The arguments that came, as they stand in a line.
fn shown(payload: Payload) -> Vec<Value> {
    match payload {
        Payload::Binary(bytes) => vec![json!({ "$bytes": BASE64.encode(&bytes) })],
        Payload::Text(values) => values,
        #[allow(deprecated)]
        Payload::String(text) => vec![json!(text)],
    }
}

//! Does what it is told through the bare contract, and says how the host answered each call. Of the SDK it uses the
//! bindings alone.

// Part of what `export_plugin` writes.
#![allow(unsafe_code)]

use std::cell::RefCell;

use bindings::exports::parlor::room::guest::{Definition, Event, Failure, Guest, Meta, Payload, Rejection, Request};
use bindings::parlor::room::types::Refusal;
use bindings::parlor::room::{
    alarm, clock, config, events, inbox, logging, outbox, random, room, sockets, storage, timers,
};
use parlor_guest::bindings;
use serde_json::{Value, json};

struct Calls;

bindings::export_plugin!(Calls with_types_in bindings);

thread_local! {
    static IN_INIT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl Guest for Calls {
    fn init() -> Result<Definition, String> {
        for event in ["run", "fail", "reject", "sync", "init", "$error"] {
            events::on(event).map_err(|why| format!("{why:?}"))?;
        }
        if let Some(calls) = config::get("in-init") {
            let answers = run(&parsed(&calls), 0);
            IN_INIT.with(|kept| *kept.borrow_mut() = answers);
        }
        Ok(Definition { name: "calls".to_owned(), path: "/calls".to_owned() })
    }

    /// With calls to make, it refuses everyone with the host's answers.
    fn authorize(_: Request) -> Result<Option<Meta>, Rejection> {
        match config::get("in-authorize") {
            Some(calls) => Err(Rejection { status: 403, message: json!(run(&parsed(&calls), 0)).to_string() }),
            None => Ok(None),
        }
    }

    fn handle(event: Event) -> Result<Option<Payload>, Failure> {
        let socket = event.socket.unwrap_or(0);
        let data = match event.payload {
            Some(Payload::Json(text)) => parsed(&text),
            _ => Value::Null,
        };
        let (name, data) = match &*event.cause {
            "run" => ("ran", json!({ "answers": run(&data, socket) })),
            "init" => ("in-init", json!({ "answers": IN_INIT.with(|kept| kept.borrow().clone()) })),
            "fail" | "reject" => {
                let _ = run(&data, socket);
                let for_sender = event.cause == "reject";
                return Err(Failure { code: "told".to_owned(), message: "as told".to_owned(), for_sender });
            }
            "sync" => ("synced", data),
            "$error" => ("failed", data),
            other => ("heard", json!({ "cause": other, "name": event.name })),
        };
        // A refusal is ignored here, as by a guest that never looks.
        let _ = outbox::to_socket(socket, name, &Payload::Json(data.to_string()));
        Ok(None)
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

/// Makes the calls, each a list of its name and its arguments; `["times", N, CALL...]` makes one N times and answers
/// with the last answer.
fn run(calls: &Value, socket: u32) -> Vec<String> {
    let calls = calls.as_array().map(Vec::as_slice).unwrap_or_default();
    calls.iter().map(|call| make(call.as_array().map(Vec::as_slice).unwrap_or_default(), socket)).collect()
}

fn make(call: &[Value], socket: u32) -> String {
    let text = |place: usize| call.get(place).and_then(Value::as_str).unwrap_or_default();
    let number = |place: usize| call.get(place).and_then(Value::as_u64).unwrap_or_default();
    let filled = |place: usize| "x".repeat(number(place) as usize);
    match text(0) {
        "times" => (0..number(1)).map(|_| make(&call[2..], socket)).fold(String::new(), |_, said| said),
        "on" => said(events::on(text(1))),
        "off" => said(events::off(text(1))),
        "emit" => said(outbox::to_socket(socket, text(1), &Payload::Json(text(2).to_owned()))),
        "emit-bytes" => said(outbox::to_socket(socket, text(1), &Payload::Binary(vec![1, 2, 3]))),
        "emit-size" => {
            // A JSON text of exactly this many bytes.
            let data = format!("\"{}\"", "x".repeat((number(1) as usize).saturating_sub(2)));
            said(outbox::to_socket(socket, "filled", &Payload::Json(data)))
        }
        "attach" => said(outbox::attach(&vec![0; number(1) as usize])),
        "spread" => said(outbox::spread()),
        "ask" => {
            let data = Payload::Json("[1]".to_owned());
            said(outbox::ask(number(1) as u32, "question", &data, text(2), number(3) as u32))
        }
        "arguments" => format!("ok: {} {}", inbox::arguments(), inbox::attachments().len()),
        "to-channel" => said(outbox::to_channel(text(1), text(2), &Payload::Json("1".to_owned()))),
        "join" => said(sockets::join(socket, text(1))),
        "join-size" => said(sockets::join(socket, &filled(1))),
        "join-many" => {
            let joins = (0..number(1)).map(|count| said(sockets::join(socket, &format!("channel-{count}"))));
            joins.fold(String::new(), |_, said| said)
        }
        "fields" => said(sockets::set_fields(socket, text(1))),
        "fields-size" => said(sockets::set_fields(
            socket,
            &format!("{{\"f\":\"{}\"}}", "x".repeat((number(1) as usize).saturating_sub(8))),
        )),
        "close" => said(sockets::close(socket, number(1) as u16, text(2))),
        "close-socket" => said(sockets::close(number(1) as u32, 4000, "")),
        "meta" => said(sockets::get_meta(number(1) as u32).map(|meta| meta.channels.len())),
        "room-id" => said(room::id()),
        "count" => said(room::session_count()),
        "random" => said(random::get_bytes(number(1) as u32).map(|bytes| bytes.len())),
        "now" => format!("ok: {}", clock::now() > 1e12),
        "log" => {
            logging::write(logging::Level::Info, &text(1).replace("{n}", &number(2).to_string()));
            "ok".to_owned()
        }
        "log-size" => {
            logging::write(logging::Level::Info, &filled(1));
            "ok".to_owned()
        }
        _ => keep(call),
    }
}

/// Makes a call of storage, timers or the alarm.
fn keep(call: &[Value]) -> String {
    let text = |place: usize| call.get(place).and_then(Value::as_str).unwrap_or_default();
    let number = |place: usize| call.get(place).and_then(Value::as_u64).unwrap_or_default();
    let filled = |place: usize| "x".repeat(number(place) as usize);
    match text(0) {
        "get" => said(storage::get(text(1)).map(|value| value.map(|value| value.len()))),
        "put" => said(storage::put(text(1), filled(2).as_bytes())),
        "put-many" => {
            // So many keys of one prefix with values of this size.
            let entry = |count| storage::Entry { key: format!("{}{count}", text(1)), value: filled(3).into_bytes() };
            said(storage::put_many(&(0..number(2)).map(entry).collect::<Vec<_>>()))
        }
        "put-twice" => {
            let entry = || storage::Entry { key: text(1).to_owned(), value: vec![1] };
            said(storage::put_many(&[entry(), entry()]))
        }
        "get-many" => said(
            storage::get_many(&texts(call.get(1)))
                .map(|values| values.into_iter().map(|value| value.map(|value| value.len())).collect::<Vec<_>>()),
        ),
        "delete" => said(storage::delete(text(1))),
        "delete-many" => said(storage::delete_many(&texts(call.get(1)))),
        "list" => said(storage::scan(text(1), call.get(3).and_then(Value::as_str), number(2) as u32).map(|page| {
            let keys = page.entries.into_iter().map(|entry| format!("{}={}", entry.key, entry.value.len()));
            (keys.collect::<Vec<_>>().join(" "), page.next)
        })),
        "set-timer" => said(timers::set(text(1), number(2) as u32, Some(&Payload::Json(json!(filled(3)).to_string())))),
        "cancel-timer" => said(timers::cancel(text(1))),
        "set-alarm" => said(alarm::set(call.get(1).and_then(Value::as_f64).unwrap_or(f64::NAN))),
        "get-alarm" => said(alarm::get()),
        "cancel-alarm" => said(alarm::cancel()),
        "put-key-size" => said(storage::put(&filled(1), b"value")),
        other => panic!("no call is named {other:?}"),
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let texts = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    texts.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn said<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> String {
    match answer {
        Ok(value) => format!("ok: {value:?}"),
        Err(Refusal::LimitExceeded(bound)) => format!("limit-exceeded: {bound}"),
        Err(Refusal::NoSuchSocket) => "no-such-socket".to_owned(),
        Err(Refusal::NoTurn) => "no-turn".to_owned(),
        Err(Refusal::Invalid(why)) => format!("invalid: {why}"),
        Err(Refusal::Other(why)) => format!("other: {why}"),
    }
}

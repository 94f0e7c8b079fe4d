//! Runs a case, wherever that is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value, json};

use crate::case::{Answer, Case, Closing, Do, Request, Step};
use crate::compare::{as_written, matches};
use crate::differs;

/// The number of the runner's own requests, which no case uses for frames of its own.
const REQUEST: u64 = 1_000_000;
/// The path that the reference plugin serves.
const PATH: &str = "/conformance";

/// The request for a socket.
#[derive(Debug, Clone)]
pub struct Address {
    /// The path with its query.
    pub path: String,
    /// Further headers of the request.
    pub headers: BTreeMap<String, String>,
}

/// How a request for a socket was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The response's status.
    pub status: u16,
    /// The response's body.
    pub body: String,
}

/// Where a case is run: a room of the reference plugin. Sockets have the names that the case gives them. An error says
/// in words what went wrong.
#[expect(async_fn_in_trait, reason = "runners are used as what they are, never as `dyn`")]
pub trait Place {
    /// Opens a socket, and waits until it is a member or was closed instead.
    async fn connect(&mut self, who: &str, address: &Address) -> Result<(), Refusal>;
    /// Sends a frame, and waits until the room has handled it.
    async fn send(&mut self, who: &str, frame: Value) -> Result<(), String>;
    /// The frames that a socket got since the last look. Where there are fewer than wanted, it waits for what may still come.
    async fn received(&mut self, who: &str, wanted: usize) -> Result<Vec<Value>, String>;
    /// How the server closed a socket, if it did. Where that is wanted, it waits for it.
    async fn closed(&mut self, who: &str, is_wanted: bool) -> Option<Closing>;
    /// Closes a socket, and waits until its end was told to the plugin.
    async fn leave(&mut self, who: &str, code: u16, reason: &str) -> Result<(), String>;
    /// Breaks the line of a client that may come back, and waits until the room knows.
    async fn lose_line(&mut self, who: &str) -> Result<(), String>;
    /// Has the client come back over another line.
    async fn come_back(&mut self, who: &str) -> Result<(), String>;
    /// All turns of the room that failed so far: `{"event", "code", "message"}`. Where there are fewer than wanted, it waits.
    async fn failures(&mut self, wanted: usize) -> Result<Vec<Value>, String>;
    /// All lines of the plugin's log so far, `info: words`. Where there are fewer than wanted, it waits.
    async fn log(&mut self, wanted: usize) -> Result<Vec<String>, String>;
    /// Lets time pass, in milliseconds.
    async fn advance(&mut self, ms: u64) -> Result<(), String>;
    /// Takes the instance away.
    async fn sleep(&mut self) -> Result<(), String>;
    /// Loses the instance.
    async fn crash(&mut self, who: &str) -> Result<(), String>;
    /// Ends the server and starts it again.
    async fn restart(&mut self) -> Result<(), String>;
    /// Puts the second version in place; with a code, it fails to resume with that.
    async fn swap(&mut self, fails: Option<&str>) -> Result<(), String>;
    /// All that the room keeps, at the end; none where that is looked at later.
    async fn stored(&mut self) -> Option<BTreeMap<String, Value>>;
}

/// Runs a case; the error says at which step it failed, and how.
pub async fn run(case: &Case, place: &mut impl Place) -> Result<(), String> {
    let mut run = Run {
        place,
        room: &case.name,
        inboxes: BTreeMap::new(),
        asks: BTreeMap::new(),
        ended: BTreeSet::new(),
        failures: 0,
        lines: 0,
    };
    for (number, step) in case.steps.iter().enumerate() {
        run.step(step).await.map_err(|why| format!("step {}, {}: {why}", number + 1, short(step)))?;
    }
    run.end().await.map_err(|why| format!("at the end: {why}"))?;
    match (&case.stored, run.place.stored().await) {
        (Some(expected), Some(found)) => differs("stored", &json!(expected), &json!(found)),
        _ => Ok(()),
    }
}

fn short(step: &Step) -> String {
    let text = format!("{step:?}");
    text.chars().take(160).collect()
}

/// A case that is running.
struct Run<'a, P> {
    place: &'a mut P,
    room: &'a str,
    /// What each socket got and no step looked at.
    inboxes: BTreeMap<String, Vec<Value>>,
    /// The numbers of what each socket was asked and did not answer.
    asks: BTreeMap<String, VecDeque<Value>>,
    /// The sockets whose end a step named.
    ended: BTreeSet<String>,
    /// How many failures and lines steps have looked at.
    failures: usize,
    lines: usize,
}

impl<P: Place> Run<'_, P> {
    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Connect(connect) => {
                let address = self.address(&connect.name, &connect.query, &connect.headers);
                let connected = self.place.connect(&connect.name, &address).await;
                connected.map_err(|no| format!("it was refused with {} {}", no.status, no.body))?;
                self.ended.remove(&connect.name);
                self.inboxes.insert(connect.name.clone(), Vec::new());
                Ok(())
            }
            Step::Refused(refused) => {
                let address = self.address("nobody", &refused.query, &refused.headers);
                match self.place.connect("nobody", &address).await {
                    Ok(()) => Err("it was let in".to_owned()),
                    Err(Refusal { status, body }) => {
                        let expected = json!([refused.status, refused.body]);
                        differs("status and body", &expected, &json!([status, body]))
                    }
                }
            }
            Step::Send { from, frame } => self.place.send(from, frame.clone()).await,
            Step::Do(run) => self.run(run).await,
            Step::Request(request) => self.request(request).await,
            Step::Answer(answer) => self.answer(answer).await,
            Step::Expect(expected) => self.expect(expected).await,
            Step::Closed(expected) => self.closings(expected).await,
            Step::Leave(leaving) => {
                self.collect(&leaving.who, 0).await?;
                self.ended.insert(leaving.who.clone());
                self.place.leave(&leaving.who, leaving.code, &leaving.reason).await
            }
            Step::LoseLine(who) => {
                self.collect(who, 0).await?;
                self.place.lose_line(who).await
            }
            Step::ComeBack(who) => self.place.come_back(who).await,
            Step::Failures(expected) => self.failed(expected).await,
            Step::Log(expected) => self.logged(expected).await,
            Step::Advance(ms) => self.place.advance(*ms).await,
            Step::Sleep => self.place.sleep().await,
            Step::Crash(who) => self.place.crash(who).await,
            Step::Restart => {
                self.expect(&BTreeMap::new()).await?;
                self.inboxes.clear();
                self.asks.clear();
                self.place.restart().await
            }
            Step::Swap => self.place.swap(None).await,
            Step::SwapFails(code) => self.place.swap(Some(code)).await,
        }
    }

    fn address(&self, who: &str, query: &Map<String, Value>, headers: &BTreeMap<String, String>) -> Address {
        let mut all = Map::from_iter([("user".to_owned(), json!(who)), ("client".to_owned(), json!(who))]);
        all.extend(query.clone());
        let mut path = format!("{PATH}?room={}", self.room);
        for (name, value) in all {
            let value = match value {
                Value::Null => continue,
                Value::String(text) => text,
                other => other.to_string(),
            };
            path.push_str(&format!("&{}={}", encoded(&name), encoded(&value)));
        }
        Address { path, headers: headers.clone() }
    }

    async fn run(&mut self, Do { from, ops, did }: &Do) -> Result<(), String> {
        self.place.send(from, json!({ "type": "do", "data": ops })).await?;
        self.collect(from, usize::from(did.is_some())).await?;
        let found = self.take(from, |frame| frame["type"] == "event" && frame["data"]["type"] == "did");
        match (did, found) {
            (Some(expected), Ok(frame)) => differs("the results", expected, &frame["data"]["data"]),
            (Some(_), Err(left)) => Err(format!("the operations were not done; there came {left}")),
            (None, Ok(frame)) => Err(format!("it should fail, and there came {frame}")),
            (None, Err(_)) => Ok(()),
        }
    }

    async fn request(&mut self, Request { from, frame, ack }: &Request) -> Result<(), String> {
        let mut frame = frame.clone();
        frame.insert("id".to_owned(), json!(REQUEST));
        self.place.send(from, Value::Object(frame)).await?;
        self.collect(from, 1).await?;
        let found = self.take(from, |frame| frame["type"] == "ack" && frame["id"] == REQUEST);
        let mut found = found.map_err(|left| format!("there is no acknowledgement; there came {left}"))?;
        if let Some(members) = found.as_object_mut() {
            members.retain(|name, _| name != "type" && name != "id");
        }
        differs("the acknowledgement", &json!(ack), &found)
    }

    async fn answer(&mut self, Answer { from, frame }: &Answer) -> Result<(), String> {
        self.collect(from, 0).await?;
        let asked = self.asks.get_mut(from).and_then(VecDeque::pop_front);
        let id = asked.ok_or_else(|| format!("{from} was asked nothing"))?;
        let mut frame = frame.clone();
        frame.extend([("type".to_owned(), json!("ack")), ("id".to_owned(), id)]);
        self.place.send(from, Value::Object(frame)).await
    }

    /// Takes the last frame of this kind out of a socket's inbox; where there is none, says what is in it.
    fn take(&mut self, who: &str, is_wanted: impl Fn(&Value) -> bool) -> Result<Value, Value> {
        let inbox = self.inboxes.entry(who.to_owned()).or_default();
        inbox.iter().rposition(is_wanted).map(|at| inbox.remove(at)).ok_or_else(|| json!(inbox))
    }

    /// Adds what a socket got to its inbox; waits for so many frames in there.
    async fn collect(&mut self, who: &str, wanted: usize) -> Result<(), String> {
        let inbox = self.inboxes.entry(who.to_owned()).or_default();
        let new = self.place.received(who, wanted.saturating_sub(inbox.len())).await?;
        let asked = new.iter().filter(|frame| frame["type"] == "event").filter_map(|frame| frame.get("id"));
        self.asks.entry(who.to_owned()).or_default().extend(asked.cloned());
        inbox.extend(new);
        Ok(())
    }

    async fn expect(&mut self, expected: &BTreeMap<String, Vec<Value>>) -> Result<(), String> {
        let named = expected.keys().find(|who| !self.inboxes.contains_key(*who));
        if let Some(unknown) = named {
            return Err(format!("there is no socket {unknown}"));
        }
        let mut wrong = Vec::new();
        for who in self.inboxes.keys().cloned().collect::<Vec<_>>() {
            let wanted = expected.get(&who).map_or(&[][..], Vec::as_slice);
            self.collect(&who, wanted.len()).await?;
            let inbox = self.inboxes.get_mut(&who).map(std::mem::take).unwrap_or_default();
            let found: Vec<Value> = inbox.into_iter().map(as_written).collect();
            wrong.extend(differs(&who, &json!(wanted), &json!(found)).err());
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    /// Nothing has come that no step named, and no socket was closed without one.
    async fn end(&mut self) -> Result<(), String> {
        self.expect(&BTreeMap::new()).await?;
        for who in self.inboxes.keys().filter(|who| !self.ended.contains(*who)) {
            if let Some(closing) = self.place.closed(who, false).await {
                return Err(format!("{who} was closed: {closing:?}"));
            }
        }
        Ok(())
    }

    async fn closings(&mut self, expected: &BTreeMap<String, Closing>) -> Result<(), String> {
        for (who, closing) in expected {
            self.collect(who, 0).await?;
            match self.place.closed(who, true).await {
                Some(found) if matches(&json!(closing.reason), &json!(found.reason)) && closing.code == found.code => {
                    self.ended.insert(who.clone());
                }
                found => return Err(format!("{who}: expected {closing:?}, found {found:?}")),
            }
        }
        Ok(())
    }

    async fn failed(&mut self, expected: &[Value]) -> Result<(), String> {
        let all = self.place.failures(self.failures + expected.len()).await?;
        let new = all.get(self.failures..).unwrap_or_default();
        self.failures = all.len();
        differs("failures", &json!(expected), &json!(new))
    }

    async fn logged(&mut self, expected: &[String]) -> Result<(), String> {
        let mut wanted = self.lines + expected.len();
        loop {
            let all = self.place.log(wanted).await?;
            let new = all.get(self.lines..).unwrap_or_default();
            let mut left = new.iter();
            let missing = expected.iter().find(|line| !left.any(|found| matches(&json!(line), &json!(found))));
            match missing {
                None => {
                    self.lines = all.len();
                    return Ok(());
                }
                // There are lines that nobody expects here: it may be behind them.
                Some(_) if all.len() >= wanted => wanted = all.len() + 1,
                Some(line) => return Err(format!("{line:?} is not in the log, or not in its place: {new:?}")),
            }
        }
    }
}

/// A part of a query, with all but letters, digits and `-._~` percent-encoded.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

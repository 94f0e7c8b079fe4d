//! The cases of conformance in the test room.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use conformance::{Address, Case, Closing, Place, Refusal, cases, run, stored_as_written};
use parlor_guest::{
    Request,
    testing::{TestRoom, TestSocket, request},
};
use serde_json::{Value, json};

/// A test room, and the sockets by the names that the case has for them.
struct Virtual {
    room: TestRoom,
    sockets: BTreeMap<String, TestSocket>,
    /// The sockets whose lines broke.
    lost: BTreeSet<String>,
}

/// How long a client whose line broke may take to come back, as the cases have it.
const RESUME: Duration = Duration::from_secs(2);

impl Virtual {
    fn new(case: &Case) -> Self {
        let builder = TestRoom::builder().room_id(&case.name);
        let builder = case.config.iter().fold(builder, |builder, (key, value)| builder.config(key, value));
        Self { room: builder.build(conformance_rust::first), sockets: BTreeMap::new(), lost: BTreeSet::new() }
    }

    fn socket(&self, who: &str) -> Result<&TestSocket, String> {
        self.sockets.get(who).ok_or_else(|| format!("there is no socket {who}"))
    }
}

impl Place for Virtual {
    async fn connect(&mut self, who: &str, address: &Address) -> Result<(), Refusal> {
        let mut asked: Request = request(&address.path);
        asked.headers = address.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
        match self.room.try_connect(asked) {
            Ok(socket) => drop(self.sockets.insert(who.to_owned(), socket)),
            Err(no) => return Err(Refusal { status: no.status, body: no.message }),
        }
        Ok(())
    }

    async fn send(&mut self, who: &str, frame: Value) -> Result<(), String> {
        self.socket(who)?.send_frame(frame);
        Ok(())
    }

    async fn received(&mut self, who: &str, _: usize) -> Result<Vec<Value>, String> {
        Ok(self.socket(who)?.received())
    }

    async fn closed(&mut self, who: &str, _: bool) -> Option<Closing> {
        let (code, reason) = self.sockets.get(who)?.closed()?;
        // A client without a line hears of no end.
        let is_told = !self.lost.contains(who);
        is_told.then_some(Closing { code, reason })
    }

    async fn leave(&mut self, who: &str, code: u16, reason: &str) -> Result<(), String> {
        self.socket(who)?.disconnect(code, reason);
        Ok(())
    }

    async fn lose_line(&mut self, who: &str) -> Result<(), String> {
        self.socket(who)?.lose_line();
        self.lost.insert(who.to_owned());
        Ok(())
    }

    async fn come_back(&mut self, who: &str) -> Result<(), String> {
        self.socket(who)?.come_back();
        self.lost.remove(who);
        Ok(())
    }

    async fn failures(&mut self, _: usize) -> Result<Vec<Value>, String> {
        let failures = self.room.failures().into_iter();
        let written = failures.map(|it| json!({ "event": it.event, "code": it.code, "message": it.message }));
        Ok(written.collect())
    }

    async fn log(&mut self, _: usize) -> Result<Vec<String>, String> {
        Ok(self.room.log())
    }

    async fn advance(&mut self, ms: u64) -> Result<(), String> {
        let time = Duration::from_millis(ms);
        self.room.advance(time);
        for who in self.lost.iter().filter(|_| time >= RESUME) {
            self.socket(who)?.disconnect(1_006, "");
        }
        Ok(())
    }

    async fn sleep(&mut self) -> Result<(), String> {
        self.room.sleep();
        Ok(())
    }

    async fn crash(&mut self, _: &str) -> Result<(), String> {
        self.room.restore("crash");
        Ok(())
    }

    async fn restart(&mut self) -> Result<(), String> {
        self.room.restart();
        self.sockets.clear();
        Ok(())
    }

    async fn swap(&mut self, fails: Option<&str>) -> Result<(), String> {
        let swapped = self.room.swap(conformance_rust::second);
        match (swapped, fails) {
            (Ok(()), None) => Ok(()),
            (Err(failed), Some(code)) if failed.event == "$resume" && failed.code == code => Ok(()),
            (swapped, _) => Err(format!("the swap: {swapped:?}")),
        }
    }

    async fn stored(&mut self) -> Option<BTreeMap<String, Value>> {
        let value = |key: String| {
            let value = stored_as_written(&self.room.stored_bytes(&key).unwrap_or_default());
            (key, value)
        };
        Some(self.room.stored_keys().into_iter().map(value).collect())
    }
}

/// A test room never waits, so that one look is enough.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("a test room waits for nothing"),
    }
}

fn outcome(case: &Case) -> Result<(), String> {
    let ran = catch_unwind(AssertUnwindSafe(|| now(run(case, &mut Virtual::new(case)))));
    ran.unwrap_or_else(|_| Err("it panicked; its words are above".to_owned()))
}

#[test]
fn the_test_room_passes_every_case() {
    let all = cases();
    let failed: Vec<String> = all
        .iter()
        .flat_map(|(file, cases)| cases.iter().map(move |case| (file, case)))
        .filter_map(|(file, case)| {
            let why = outcome(case).err()?;
            Some(format!("{file}, {} ({}):\n    {why}", case.name, case.shows))
        })
        .collect();
    assert!(failed.is_empty(), "\n{}\n", failed.join("\n"));
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let mut names: Vec<String> = cases().into_iter().flat_map(|(_, cases)| cases).map(|case| case.name).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "two cases have the same name");
    assert!(all > 100, "there are {all} cases");
}

//! A client's side of a session: it counts what it sends and gets, as the documentation says.

use crate::harness::{Client, Request, Server, Value, json};

pub struct Session {
    path: String,
    pub secret: String,
    pub got: u64,
    /// How many frames it sent that count.
    pub sent: u64,
    line: Option<Client>,
}

/// How a session went on.
#[derive(Debug)]
pub struct Back {
    pub resumed: bool,
    /// How many of its frames were taken.
    pub heard: u64,
    /// What came before the server said that.
    pub frames: Vec<Value>,
    /// The numbers of the events `told` and `took` among these.
    pub told: Vec<u64>,
    pub took: Vec<u64>,
}

impl Session {
    pub async fn begin(server: &Server, path: &str) -> Self {
        let mut line = server.join(&format!("{path}&resume")).await;
        let first: Value = serde_json::from_str(&line.frame().await).expect("JSON");
        let secret = first["id"].as_str().unwrap_or_default().to_owned();
        assert_eq!(first, json!({ "type": "session", "id": secret, "resumed": false }));
        assert_eq!(secret.len(), 36);
        Self { path: path.to_owned(), secret, got: 0, sent: 0, line: Some(line) }
    }

    pub fn line(&mut self) -> &mut Client {
        self.line.as_mut().expect("a line")
    }

    /// Waits until it is a member.
    pub async fn enter(&mut self) {
        self.send("sync", json!(null)).await;
        while self.event().await.expect("a line")["type"] != "synced" {}
    }

    pub async fn send(&mut self, event: &str, data: Value) {
        self.sent += 1;
        self.line().send(event, data).await;
    }

    /// The next frame that counts; none where the line breaks.
    pub async fn frame(&mut self) -> Option<Value> {
        loop {
            let text = self.line().frame_or_close().await.ok()?;
            let frame: Value = serde_json::from_str(&text).expect("JSON");
            if frame["type"] != "pong" {
                self.got += u64::from(frame["type"] != "session");
                return Some(frame);
            }
        }
    }

    /// The data of the next frame, which is an event.
    pub async fn event(&mut self) -> Option<Value> {
        self.frame().await.map(|frame| frame["data"].clone())
    }

    pub fn cut(&mut self) {
        self.leave_line().break_off();
    }

    /// The line, which the client uses no more.
    pub fn leave_line(&mut self) -> Client {
        self.line.take().expect("a line")
    }

    pub fn wish(&self) -> String {
        format!("{}&resume={}&got={}", self.path, self.secret, self.got)
    }

    pub async fn come_back(&mut self, server: &Server) -> Back {
        let request = server.request("GET", &self.wish());
        self.come_back_by(request, &mut |_| ()).await.expect("a line that holds")
    }

    /// Comes back, and shows each frame that was missed; none where the line breaks before the server has said how it goes on.
    pub async fn come_back_by(&mut self, request: Request, missed: &mut impl FnMut(&Value)) -> Option<Back> {
        self.line = Some(request.websocket().upgrade().await.expect("a socket"));
        let mut frames = Vec::new();
        loop {
            let frame = self.frame().await?;
            if frame["type"] != "session" {
                missed(&frame);
                frames.push(frame);
                continue;
            }
            let resumed = frame["resumed"] == true;
            if !resumed {
                assert!(frames.is_empty(), "a new session begins with its frame: {frames:?}");
                (self.got, self.sent) = (0, 0);
            }
            frame["id"].as_str().unwrap_or_default().clone_into(&mut self.secret);
            let numbers = |name: &str| {
                let of_name = frames.iter().filter(|frame| frame["data"]["type"] == name);
                of_name.map(|frame| frame["data"]["n"].as_u64().expect("a number")).collect()
            };
            let (told, took, heard) = (numbers("told"), numbers("took"), frame["heard"].as_u64().unwrap_or_default());
            return Some(Back { resumed, heard, told, took, frames });
        }
    }
}

//! A client that comes back: it counts what it gets and keeps what it sends, as the documentation says.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::rhythm::Rhythm;
use super::standing::{Doing, SharedStanding};

/// How many frames a client sends ahead of what it heard of them.
const AHEAD: u64 = 8;
/// From a broken line to the next try.
const PAUSE: Duration = Duration::from_millis(20);
/// How long nothing may come over a line.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all clients saw.
#[derive(Default)]
pub struct Counts {
    pub resumed: AtomicU64,
    /// Frames that the room said to all.
    pub told: AtomicU64,
}

pub struct Session {
    user: String,
    secret: String,
    got: u64,
    line: WebSocketStream<TcpStream>,
}

async fn line(to: SocketAddr, user: &str, wish: &str) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let address = format!("ws://{to}/lines?user={user}&{wish}");
    Ok(tokio_tungstenite::client_async(address, stream).await?.0)
}

impl Session {
    pub async fn begin(to: SocketAddr, user: &str) -> anyhow::Result<Self> {
        let line = line(to, user, "resume").await?;
        let mut session = Self { user: user.to_owned(), secret: String::new(), got: 0, line };
        let first = session.frame().await.context("a line that holds")?;
        session.take_secret(&first)?;
        Ok(session)
    }

    fn take_secret(&mut self, frame: &Value) -> anyhow::Result<()> {
        frame["id"].as_str().context("a session has a secret")?.clone_into(&mut self.secret);
        Ok(())
    }

    pub async fn send(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.line.send(Message::text(text)).await?)
    }

    /// The next frame; none where the line breaks.
    pub async fn frame(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.line.next()).await.ok()??.ok()?;
            let Message::Text(text) = message else { continue };
            let frame: Value = serde_json::from_str(text.as_str()).ok()?;
            if frame["type"] != "session" && frame["type"] != "pong" {
                self.got += 1;
            }
            return Some(frame);
        }
    }

    /// Ends its side of the line without a goodbye.
    pub async fn part(&mut self) -> anyhow::Result<()> {
        Ok(self.line.get_mut().shutdown().await?)
    }

    /// Takes another line in the place of the one that it has.
    pub async fn next_line(&mut self, to: SocketAddr) -> anyhow::Result<()> {
        let wish = format!("resume={}&got={}", self.secret, self.got);
        let opened = tokio::time::timeout(PATIENCE, line(to, &self.user, &wish)).await;
        self.line = opened.context("no answer to the handshake")??;
        Ok(())
    }
}

/// What all clients are told.
#[derive(Clone)]
pub struct Errand {
    pub proxy: SocketAddr,
    pub rhythm: Rhythm,
    /// How many numbers each client sends. One more follows: whatever came twice comes before the answer to that.
    pub frames: u64,
    /// From one number to the next.
    pub pause: Duration,
    pub counts: Arc<Counts>,
}

/// One client's numbers upstream, and what it heard of them.
struct Talk {
    errand: Errand,
    /// When the next number is due.
    due: Instant,
    next: u64,
    taken: u64,
    heard: u64,
    unheard: VecDeque<u64>,
    told: Option<u64>,
    standing: SharedStanding,
}

/// Sends so many numbered frames over lines that break, and checks all that comes.
pub async fn talk(server: SocketAddr, user: String, errand: Errand, standing: SharedStanding) -> anyhow::Result<()> {
    // A session whose first handshake is cut never began, so this line is not one of those that are cut.
    let mut session = Session::begin(server, &user).await?;
    let (by, due) = (errand.proxy, Instant::now());
    let mut talk = Talk { errand, due, next: 0, taken: 0, heard: 0, unheard: VecDeque::new(), told: None, standing };
    loop {
        talk.standing.does(Doing::SeeksLine("it did not try yet".to_owned()));
        // The handshake may be cut as well.
        while let Err(why) = session.next_line(by).await {
            talk.standing.does(Doing::SeeksLine(why.to_string()));
            tokio::time::sleep(PAUSE).await;
        }
        talk.standing.does(Doing::ComesBack);
        if talk.go_on(&mut session).await.with_context(|| user.clone())? {
            talk.standing.does(Doing::Done);
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Talk {
    fn check(&mut self, frame: &Value) -> anyhow::Result<()> {
        let (data, n) = (&frame["data"], frame["data"]["n"].as_u64());
        match data["type"].as_str() {
            Some("took") => {
                ensure!(n == Some(self.taken), "{n:?} was taken where {} is next", self.taken);
                self.taken += 1;
            }
            Some("told") => {
                ensure!(self.told.is_none_or(|last| n == Some(last + 1)), "{n:?} follows {:?}", self.told);
                self.told = n;
                self.errand.counts.told.fetch_add(1, Ordering::Relaxed);
            }
            // An error tells of a frame that had no turn.
            _ => ensure!(frame["type"] == "pong", "this was not to come: {frame}"),
        }
        self.standing.change(|standing| standing.taken = self.taken);
        Ok(())
    }

    /// Hears what was missed, and sends what was not taken; false where the line breaks before.
    async fn come_back(&mut self, session: &mut Session) -> anyhow::Result<bool> {
        loop {
            let Some(frame) = session.frame().await else { return Ok(false) };
            if frame["type"] != "session" {
                self.check(&frame)?;
                continue;
            }
            session.take_secret(&frame)?;
            if frame["resumed"] != true {
                bail!("a session did not go on, although it was back in time");
            }
            self.errand.counts.resumed.fetch_add(1, Ordering::Relaxed);
            let heard = frame["heard"].as_u64().context("how many were taken")?;
            ensure!(heard >= self.heard && heard - self.heard <= self.unheard.len() as u64, "{heard} cannot be");
            self.unheard.drain(..(heard - self.heard) as usize);
            self.heard = heard;
            self.standing.change(|standing| (standing.heard, standing.lines) = (heard, standing.lines + 1));
            for number in &self.unheard {
                if session.send(&numbered(*number)).await.is_err() {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
    }

    /// Comes back, and talks until the line breaks; true where all is said and heard.
    async fn go_on(&mut self, session: &mut Session) -> anyhow::Result<bool> {
        if !self.come_back(session).await? {
            return Ok(false);
        }
        self.standing.does(Doing::Talks);
        let all = self.errand.frames + 1;
        while self.taken < all {
            let may_send = self.next < all && self.next < self.taken + AHEAD;
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(self.due), if may_send => {
                    self.due = self.errand.rhythm.by_day(self.due + self.errand.pause);
                    self.unheard.push_back(self.next);
                    self.next += 1;
                    self.standing.change(|standing| standing.sent = self.next);
                    if session.send(&numbered(self.next - 1)).await.is_err() {
                        return Ok(false);
                    }
                }
                frame = session.frame() => match frame {
                    Some(frame) => self.check(&frame)?,
                    None => return Ok(false),
                },
            }
        }
        Ok(true)
    }
}

fn numbered(number: u64) -> String {
    format!(r#"{{"type":"number","data":{number}}}"#)
}

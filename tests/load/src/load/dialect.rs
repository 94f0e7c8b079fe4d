//! The rooms of the load as each kind of server knows them: where a socket enters one, how it says something, and what
//! it hears. Frames are compared in full.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use serde_json::Value;

use super::clients::Outgoing;
use super::frame::{self, Frame};

/// The text of every message.
const TEXT: &str = "the quick brown fox jumps over the lazy dog";
/// The longest frame that is sent.
const FRAME_BYTES: usize = 160;

/// What is spoken within the text frames of a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// Verani frames, as Parlor and the base line speak them.
    Verani,
    /// The same, by clients that may come back over another line.
    #[value(name = "verani-resume")]
    VeraniResume,
    /// Packets of Socket.IO (protocol 5) in those of Engine.IO (protocol 4), all in the namespace `/bench`.
    #[value(name = "socket.io")]
    SocketIo,
}

impl Dialect {
    /// Where a socket enters a room, with query.
    pub fn path(self, room: usize) -> String {
        match self {
            Self::Verani => format!("/bench?room=room-{room}"),
            Self::VeraniResume => format!("/bench?room=room-{room}&resume"),
            Self::SocketIo => format!("/socket.io/?EIO=4&transport=websocket&room=room-{room}"),
        }
    }

    /// What both sides say before the first event, given what has `arrived` behind the upgrade; answers what arrived
    /// behind that.
    pub fn enter(self, stream: &mut TcpStream, mut arrived: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Verani => {}
            Self::VeraniResume => await_packet(stream, &mut arrived, br#"{"type":"session""#)?,
            Self::SocketIo => {
                await_packet(stream, &mut arrived, b"0{")?;
                say(stream, b"40/bench,")?;
                await_packet(stream, &mut arrived, b"40/bench,{")?;
            }
        }
        Ok(arrived)
    }

    /// What a frame that only asks whether the client is there wants to hear.
    pub fn answer_to(self, text: &[u8]) -> Option<&'static [u8]> {
        (self == Self::SocketIo && text == b"2").then_some(b"3")
    }

    /// Sends an event with its number.
    pub fn put(self, out: &mut Outgoing, socket: usize, event: &str, n: u64) {
        let mut frame = [0; FRAME_BYTES];
        let mut rest = &mut frame[..];
        let data = format_args!(r#"{{"n":{n},"text":"{TEXT}"}}"#);
        let written = match self {
            Self::Verani | Self::VeraniResume => write!(rest, r#"{{"type":"{event}","data":{data}}}"#),
            Self::SocketIo => write!(rest, r#"42/bench,["{event}",{data}]"#),
        };
        written.expect("the frame is short");
        let length = FRAME_BYTES - rest.len();
        out.text(socket, &frame[..length]);
    }

    /// The number in a frame for the event `name`, once all else in it is as it must be. The usual form is compared as
    /// bytes; another order of the keys goes through a JSON parser.
    pub fn number(self, text: &[u8], name: &str) -> anyhow::Result<u64> {
        if let Some(n) = self.usual_form(text, name) {
            return Ok(n);
        }
        let shown = || String::from_utf8_lossy(&text[..text.len().min(300)]).into_owned();
        let json = match self {
            Self::Verani | Self::VeraniResume => text,
            Self::SocketIo => text.strip_prefix(b"42/bench,").with_context(|| format!("not an event: {}", shown()))?,
        };
        let frame: Value = serde_json::from_slice(json).with_context(|| format!("not JSON: {}", shown()))?;
        let (in_envelope, data) = match self {
            Self::Verani | Self::VeraniResume => {
                let data = &frame["data"];
                (frame["type"] == "event" && frame["channel"] == "default" && data["type"] == name, data)
            }
            Self::SocketIo => (frame[0] == name && frame[2].is_null(), &frame[1]),
        };
        if !in_envelope || data["text"] != TEXT {
            bail!("not the event {name} that was asked for: {}", shown());
        }
        ensure!(data["at"].as_f64().is_some_and(|at| at > 0.0), "the event {name} without its time: {}", shown());
        data["n"].as_u64().with_context(|| format!("the event {name} without its number: {}", shown()))
    }

    fn usual_form(self, text: &[u8], name: &str) -> Option<u64> {
        let (head, data, tail): (&[u8], &[u8], &[u8]) = match self {
            Self::Verani | Self::VeraniResume => {
                (br#"{"type":"event","channel":"default","data":{"type":""#, br#"","n":"#, b"}}")
            }
            Self::SocketIo => (br#"42/bench,[""#, br#"",{"n":"#, b"}]"),
        };
        let rest = text.strip_prefix(head)?.strip_prefix(name.as_bytes())?.strip_prefix(data)?;
        let (n, rest) = digits(rest)?;
        let rest = rest.strip_prefix(br#","text":""#)?.strip_prefix(TEXT.as_bytes())?.strip_prefix(br#"","at":"#)?;
        let (at, rest) = digits(rest)?;
        (at > 0 && rest == tail).then_some(n)
    }
}

/// Reads a text frame that begins with `head`, and takes it from what has arrived. A ping may come before it.
fn await_packet(stream: &mut TcpStream, arrived: &mut Vec<u8>, head: &[u8]) -> anyhow::Result<()> {
    let mut buffer = [0; 1_024];
    loop {
        if let Some((frame, length)) = frame::next(arrived)? {
            let Frame::Text(text) = frame else { bail!("not a packet: {frame:?}") };
            let (is_there, answer) = (text.starts_with(head), Dialect::SocketIo.answer_to(text));
            let expected = is_there || answer.is_some();
            ensure!(expected, "not the packet {}: {}", String::from_utf8_lossy(head), String::from_utf8_lossy(text));
            arrived.drain(..length);
            if is_there {
                return Ok(());
            }
            say(stream, answer.unwrap_or_default())?;
            continue;
        }
        let count = stream.read(&mut buffer).context("read a packet of the handshake")?;
        ensure!(count > 0, "the server ended the connection in the handshake");
        arrived.extend_from_slice(&buffer[..count]);
    }
}

/// Sends a packet of the handshake.
fn say(stream: &mut TcpStream, packet: &[u8]) -> anyhow::Result<()> {
    let mut frame = Vec::new();
    frame::put_text(&mut frame, packet, [0; 4]);
    stream.write_all(&frame).context("write a packet of the handshake")
}

fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit())?;
    let number = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
    Some((number, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of a server, with these keys of its data.
    fn frame(dialect: Dialect, keys: &str) -> String {
        match dialect {
            Dialect::Verani | Dialect::VeraniResume => {
                format!(r#"{{"type":"event","channel":"default","data":{{"type":"echo",{keys}}}}}"#)
            }
            Dialect::SocketIo => format!(r#"42/bench,["echo",{{{keys}}}]"#),
        }
    }

    #[test]
    fn a_right_answer_is_told_from_a_wrong_one() {
        for dialect in [Dialect::Verani, Dialect::SocketIo] {
            let usual = frame(dialect, &format!(r#""n":12,"text":"{TEXT}","at":5"#));
            let other = frame(dialect, &format!(r#""at":5,"text":"{TEXT}","n":12"#));
            assert_eq!(dialect.usual_form(usual.as_bytes(), "echo"), Some(12));
            for right in [&usual, &other] {
                assert_eq!(dialect.number(right.as_bytes(), "echo").unwrap(), 12);
                let head = if dialect == Dialect::Verani { ("default", "other") } else { ("/bench", "/other") };
                for (part, wrong) in [("echo", "say"), ("fox", "cow"), head, ("\"at\":5", "\"at\":0"), ("}", "")] {
                    let changed = right.replace(part, wrong);
                    assert!(dialect.number(changed.as_bytes(), "echo").is_err(), "{changed}");
                }
            }
        }
    }

    #[test]
    fn only_socket_io_asks_in_a_text_whether_somebody_is_there() {
        assert_eq!(Dialect::SocketIo.answer_to(b"2"), Some(&b"3"[..]));
        assert_eq!(Dialect::SocketIo.answer_to(b"2probe"), None);
        assert_eq!(Dialect::Verani.answer_to(b"2"), None);
    }
}

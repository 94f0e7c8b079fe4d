//! A tape as a file: a mark and the format's number, frames, and a hash of all that at the end.

use std::fmt;

use serde::de::DeserializeOwned;

use super::data::{BetweenTurns, TapeBase, TapedCall, TapedEnd, TapedEvent, TapedVerdict};
use super::frames::{FrameKind, LENGTH_BYTES};

/// What every tape begins with.
const MAGIC: [u8; 8] = *b"PARLORTP";
/// The number of the format that this program writes and reads.
const FORMAT: u16 = 1;
const HEAD_BYTES: usize = MAGIC.len() + size_of::<u16>();
const HASH_BYTES: usize = 32;

/// A tape that was read.
#[derive(Debug, Clone)]
pub struct TapeFile {
    pub base: TapeBase,
    /// The first is `init`.
    pub turns: Vec<TapedTurn>,
}

/// One call of the guest, with what happened before it and what became of it.
#[derive(Debug, Clone)]
pub struct TapedTurn {
    pub number: u64,
    pub between: Vec<BetweenTurns>,
    /// None for `init`.
    pub event: Option<TapedEvent>,
    pub calls: Vec<TapedCall>,
    pub end: TapedEnd,
    /// None for `init`, and where the tape was written before the room decided.
    pub verdict: Option<TapedVerdict>,
}

/// Why a file is no tape that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadTape {
    NoTape,
    Format(u16),
    CutOff,
    Damaged,
    /// The hash is right, and what it is of is not: the writer was wrong.
    Unreadable(String),
}

impl fmt::Display for BadTape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTape => f.write_str("is no tape: it does not begin as one"),
            Self::Format(format) => {
                write!(f, "is a tape of format {format}, and this program reads format {FORMAT}: use the other version")
            }
            Self::CutOff => f.write_str("is cut off: a part of the tape is missing at its end"),
            Self::Damaged => f.write_str("is damaged: it is not what was written, by its hash"),
            Self::Unreadable(why) => write!(f, "cannot be read: {why}"),
        }
    }
}

impl std::error::Error for BadTape {}

/// The bytes of a file, for frames that were recorded.
pub fn write(frames: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(HEAD_BYTES + frames.len() + LENGTH_BYTES + HASH_BYTES);
    file.extend_from_slice(&MAGIC);
    file.extend_from_slice(&FORMAT.to_le_bytes());
    file.extend_from_slice(frames);
    // A frame of no bytes is none: it says that the hash follows.
    file.extend_from_slice(&[0; LENGTH_BYTES]);
    let hash = blake3::hash(&file);
    file.extend_from_slice(hash.as_bytes());
    file
}

/// Reads a file.
pub fn read(file: &[u8]) -> Result<TapeFile, BadTape> {
    let frames = frames_of(file)?;
    let mut frames = frames.into_iter().peekable();
    let Some((FrameKind::Base, base)) = frames.next() else { return Err(unreadable("it has no base")) };
    let base = decode(base)?;
    let (mut turns, mut between) = (Vec::new(), Vec::new());
    while let Some((kind, payload)) = frames.next() {
        match kind {
            FrameKind::Between => between.push(decode(payload)?),
            FrameKind::Begin => {
                let (number, event) = decode::<(u64, Option<TapedEvent>)>(payload)?;
                let mut calls = Vec::new();
                let end = loop {
                    match frames.next() {
                        Some((FrameKind::Call, payload)) => calls.push(call_of(payload)?),
                        Some((FrameKind::End, payload)) => break decode(payload)?,
                        _ => return Err(unreadable("a turn has no end")),
                    }
                };
                let verdict = frames.next_if(|(kind, _)| *kind == FrameKind::Verdict);
                let verdict = verdict.map(|(_, payload)| decode(payload)).transpose()?;
                turns.push(TapedTurn { number, between: std::mem::take(&mut between), event, calls, end, verdict });
            }
            other => return Err(unreadable(&format!("{other:?} stands in no turn"))),
        }
    }
    Ok(TapeFile { base, turns })
}

fn unreadable(why: &str) -> BadTape {
    BadTape::Unreadable(why.to_owned())
}

/// Takes a file apart, and checks that all of it is there.
fn frames_of(file: &[u8]) -> Result<Vec<(FrameKind, &[u8])>, BadTape> {
    let Some(after) = file.strip_prefix(&MAGIC) else {
        return Err(if !file.is_empty() && MAGIC.starts_with(file) { BadTape::CutOff } else { BadTape::NoTape });
    };
    let (format, mut rest) = after.split_first_chunk().ok_or(BadTape::CutOff)?;
    let format = u16::from_le_bytes(*format);
    if format != FORMAT {
        return Err(BadTape::Format(format));
    }
    let mut frames = Vec::new();
    loop {
        let (length, behind) = rest.split_first_chunk().ok_or(BadTape::CutOff)?;
        let length = u32::from_le_bytes(*length) as usize;
        if length == 0 {
            rest = behind;
            break;
        }
        let (frame, behind) = behind.split_at_checked(length).ok_or(BadTape::CutOff)?;
        let (kind, payload) = frame.split_first().ok_or(BadTape::CutOff)?;
        // A kind that nobody wrote: the hash would say so as well.
        frames.push((FrameKind::of(*kind).ok_or(BadTape::Damaged)?, payload));
        rest = behind;
    }
    let hashed = file.len() - rest.len();
    match rest.len() {
        HASH_BYTES if blake3::hash(&file[..hashed]).as_bytes() == rest => Ok(frames),
        0..HASH_BYTES => Err(BadTape::CutOff),
        _ => Err(BadTape::Damaged),
    }
}

fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, BadTape> {
    postcard::from_bytes(payload).map_err(|why| unreadable(&why.to_string()))
}

fn call_of(payload: &[u8]) -> Result<TapedCall, BadTape> {
    let parts = || {
        let (length, rest) = payload.split_first()?;
        let (name, rest) = rest.split_at_checked((*length).into())?;
        let (length, rest) = rest.split_first_chunk()?;
        // The length of a frame counts a kind, which these bytes have not.
        let (args, answer) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        Some(TapedCall { name: str::from_utf8(name).ok()?.to_owned(), args: args.to_vec(), answer: answer.to_vec() })
    };
    parts().ok_or_else(|| unreadable("a call is none"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::tape::data::{TapedAnswer, TapedEffects, TapedOutcome};
    use crate::guest::tape::recorder::{Recorder, TapeBound};
    use crate::model::limits::Layers;
    use crate::model::names::TenantName;
    use crate::tenant::Tenants;

    fn recorded() -> Vec<u8> {
        let account = Tenants::new(Default::default(), Layers::default(), 1).account(&TenantName::default_tenant());
        let base = TapeBase { room: "lobby".to_owned(), turns_before: 16, ..TapeBase::default() };
        let mut recorder = Recorder::new(&base, TapeBound { turns: 9, bytes: 1 << 20 }, account);
        recorder.begin_init();
        recorder.called("events.on", &("chat.message",));
        recorder.answered(&TapedAnswer::Value(()));
        // The guest was cut off while it waited for this.
        recorder.called("storage.get", &("key",));
        let outcome = TapedOutcome::Unready("why".to_owned());
        let (clocks, random, effects) = (Vec::new(), Vec::new(), TapedEffects::default());
        recorder.ended(TapedEnd { outcome, clocks, random, cpu_ns: 7, effects }, 0);
        recorder.between(&BetweenTurns::Departed(3));
        write(recorder.frames().unwrap())
    }

    #[test]
    fn what_is_written_is_read() {
        let tape = read(&recorded()).unwrap();
        assert_eq!((tape.base.room.as_str(), tape.turns.len(), tape.turns[0].number), ("lobby", 1, 16));
        let [call] = &tape.turns[0].calls[..] else { panic!("{:?}", tape.turns[0].calls) };
        assert_eq!((call.name.as_str(), &call.args[..]), ("events.on", &b"\x0cchat.message"[..]));
        assert_eq!(tape.turns[0].end.cpu_ns, 7);
    }

    #[test]
    fn a_file_that_is_cut_off_or_foreign_says_so() {
        let file = recorded();
        for length in 1..file.len() {
            assert_eq!(read(&file[..length]).unwrap_err(), BadTape::CutOff, "{length}");
        }
        assert_eq!(read(b"").unwrap_err(), BadTape::NoTape);
        assert_eq!(read(b"\0asm\x0d\0\x01\0").unwrap_err(), BadTape::NoTape);
        let with = |place: usize, byte: u8| {
            let mut other = file.clone();
            other[place] = byte;
            read(&other).unwrap_err()
        };
        assert_eq!(with(MAGIC.len(), 9), BadTape::Format(9));
        assert_eq!(with(HEAD_BYTES + LENGTH_BYTES + 3, 0xEE), BadTape::Damaged);
        assert_eq!(with(file.len() - 1, file[file.len() - 1] ^ 1), BadTape::Damaged);
        let mut longer = file.clone();
        longer.push(0);
        assert_eq!(read(&longer).unwrap_err(), BadTape::Damaged);
    }
}

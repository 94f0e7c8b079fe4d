//! How what crosses the boundary is written to a tape: as postcard writes it by serde, but bytes all at once.

use postcard::ser_flavors::Flavor;
use serde::Serialize;

use super::blob::Blob;
use super::data::{BetweenTurns, TapeBase, TapedAnswer, TapedEffects, TapedEnd, TapedOutcome, TapedVerdict};
use crate::guest::bindings::parlor::room::types::{Event, Meta, Payload, Refusal};
use crate::guest::bindings::parlor::room::{history, logging, storage};

/// A value that can be written to a tape.
pub trait TapeWrite {
    /// Writes it behind what is there.
    fn write_to(&self, tape: &mut Vec<u8>);
}

/// Writes a value behind what is there.
fn write<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) {
    // It fails only for a sequence whose length nobody knows, which none of these types has.
    let _ = postcard::serialize_with_flavor(value, Behind(bytes));
}

/// Has postcard write behind what is there, without an iterator between: a recorded turn writes some thirty values, most of them a byte
/// or two, so that a call for each would cost more than what is written.
struct Behind<'a>(&'a mut Vec<u8>);

impl Flavor for Behind<'_> {
    type Output = ();

    #[inline(always)]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    #[inline(always)]
    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// What has no list of bytes in it is written by its own `Serialize`.
macro_rules! plain {
    ($($of:ty),* $(,)?) => {
        $(impl TapeWrite for $of {
            #[inline]
            fn write_to(&self, tape: &mut Vec<u8>) {
                write(tape, self);
            }
        })*
    };
}

plain!(bool, u16, u32, u64, usize, f64, str, String);
plain!(logging::Level, Meta, Refusal, TapeBase, BetweenTurns, TapedEffects, TapedVerdict);

/// The parts of a value, one behind the other, have nothing between them.
macro_rules! tuple {
    ($($part:ident: $of:ident),*) => {
        impl<$($of: TapeWrite),*> TapeWrite for ($($of,)*) {
            #[inline]
            fn write_to(&self, _tape: &mut Vec<u8>) {
                let ($($part,)*) = self;
                $($part.write_to(_tape);)*
            }
        }
    };
}

tuple!();
tuple!(a: A);
tuple!(a: A, b: B);
tuple!(a: A, b: B, c: C);
tuple!(a: A, b: B, c: C, d: D);
tuple!(a: A, b: B, c: C, d: D, e: E);
tuple!(a: A, b: B, c: C, d: D, e: E, f: F);

impl<T: TapeWrite + ?Sized> TapeWrite for &T {
    #[inline]
    fn write_to(&self, tape: &mut Vec<u8>) {
        (*self).write_to(tape);
    }
}

impl TapeWrite for Blob<'_> {
    #[inline]
    fn write_to(&self, tape: &mut Vec<u8>) {
        write(tape, self);
    }
}

impl TapeWrite for Vec<u8> {
    #[inline]
    fn write_to(&self, tape: &mut Vec<u8>) {
        Blob(self).write_to(tape);
    }
}

impl<T: TapeWrite> TapeWrite for Vec<T> {
    #[inline]
    fn write_to(&self, tape: &mut Vec<u8>) {
        self.len().write_to(tape);
        self.iter().for_each(|item| item.write_to(tape));
    }
}

impl<T: TapeWrite> TapeWrite for Option<T> {
    #[inline]
    fn write_to(&self, tape: &mut Vec<u8>) {
        self.is_some().write_to(tape);
        self.iter().for_each(|value| value.write_to(tape));
    }
}

/// The number of a variant, and what it holds.
fn variant(tape: &mut Vec<u8>, number: u32, holds: impl TapeWrite) {
    (number, holds).write_to(tape);
}

impl TapeWrite for Payload {
    #[inline]
    fn write_to(&self, tape: &mut Vec<u8>) {
        match self {
            Self::Json(text) => variant(tape, 0, text),
            Self::Binary(bytes) => variant(tape, 1, bytes),
        }
    }
}

impl TapeWrite for Event {
    fn write_to(&self, tape: &mut Vec<u8>) {
        let Self { cause, name, channel, payload, socket, answer_wanted, accepted_at } = self;
        (cause, name, channel, payload).write_to(tape);
        (socket, answer_wanted, accepted_at).write_to(tape);
    }
}

impl TapeWrite for storage::Entry {
    fn write_to(&self, tape: &mut Vec<u8>) {
        let Self { key, value } = self;
        (key, value).write_to(tape);
    }
}

impl TapeWrite for storage::Page {
    fn write_to(&self, tape: &mut Vec<u8>) {
        let Self { entries, next } = self;
        (entries, next).write_to(tape);
    }
}

impl TapeWrite for history::Entry {
    fn write_to(&self, tape: &mut Vec<u8>) {
        let Self { position, event, data, at } = self;
        (position, event, data, at).write_to(tape);
    }
}

impl TapeWrite for history::Page {
    fn write_to(&self, tape: &mut Vec<u8>) {
        let Self { entries, recovered } = self;
        (entries, recovered).write_to(tape);
    }
}

impl<T: TapeWrite> TapeWrite for TapedAnswer<T> {
    #[inline]
    fn write_to(&self, tape: &mut Vec<u8>) {
        match self {
            Self::Value(value) => variant(tape, 0, value),
            Self::Refused(refusal) => variant(tape, 1, refusal),
            Self::Stopped => variant(tape, 2, ()),
        }
    }
}

impl TapeWrite for TapedOutcome {
    fn write_to(&self, tape: &mut Vec<u8>) {
        match self {
            Self::Answered(payload) => variant(tape, 2, payload),
            Self::Ready { .. } | Self::Unready(_) | Self::Failed(_) | Self::Faulted { .. } => write(tape, self),
        }
    }
}

impl TapeWrite for TapedEnd {
    fn write_to(&self, tape: &mut Vec<u8>) {
        let Self { outcome, clocks, random, cpu_ns, effects } = self;
        (outcome, clocks, random, cpu_ns, effects).write_to(tape);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::*;

    /// It is written as serde has postcard write it, and so read as everything else on a tape.
    fn is_postcard<T: TapeWrite + Serialize + DeserializeOwned + Debug>(value: &T) {
        let (mut written, mut by_serde) = (Vec::new(), Vec::new());
        value.write_to(&mut written);
        write(&mut by_serde, value);
        assert_eq!(written, by_serde, "{value:?}");
        let read = postcard::from_bytes::<T>(&written).unwrap();
        assert_eq!(format!("{read:?}"), format!("{value:?}"));
    }

    #[test]
    fn each_value_is_written_as_serde_would() {
        let long: Vec<u8> = (0..=255).cycle().take(300).collect();
        for payload in [Payload::Json("{}".to_owned()), Payload::Binary(long.clone()), Payload::Binary(Vec::new())] {
            let event = Event {
                cause: "cause".to_owned(),
                name: "name".to_owned(),
                channel: Some("default".to_owned()),
                payload: Some(payload.clone()),
                socket: Some(70_000),
                answer_wanted: true,
                accepted_at: 1.5,
            };
            is_postcard(&Event { channel: None, payload: None, socket: None, ..event.clone() });
            is_postcard(&event);
            let entry =
                history::Entry { position: "p".to_owned(), event: "e".to_owned(), data: payload.clone(), at: 7.0 };
            is_postcard(&history::Page { entries: vec![entry], recovered: true });
            for outcome in [
                TapedOutcome::Answered(Some(payload)),
                TapedOutcome::Answered(None),
                TapedOutcome::Unready("why".to_owned()),
                TapedOutcome::Faulted { code: "trap".to_owned(), words: "unreachable".to_owned() },
            ] {
                let effects = TapedEffects { emits: 3, alarm: Some(Some(9)), ..TapedEffects::default() };
                is_postcard(&TapedEnd {
                    outcome,
                    clocks: vec![1, u64::MAX],
                    random: long.clone(),
                    cpu_ns: 300,
                    effects,
                });
            }
        }
        let entry = storage::Entry { key: "key".to_owned(), value: long.clone() };
        is_postcard(&(vec![entry.clone()],));
        is_postcard(&storage::Page { entries: vec![entry], next: Some("next".to_owned()) });
        is_postcard(&TapedAnswer::Value(vec![Some(long.clone()), None, Some(Vec::new())]));
        is_postcard(&TapedAnswer::Value(vec![long]));
        is_postcard(&TapedAnswer::Value((7_u16, -0.5, true, 300_u32, "text".to_owned())));
        is_postcard(&TapedAnswer::<()>::Refused(Refusal::Invalid("why".to_owned())));
        is_postcard(&TapedAnswer::<Vec<u8>>::Stopped);
        is_postcard(&TapedAnswer::Value(()));
    }
}

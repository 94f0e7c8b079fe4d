//! Frames: a length, a kind and a payload each, one behind the other.

use super::write::TapeWrite;

/// The bytes of a frame's length.
pub const LENGTH_BYTES: usize = 4;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    Base = 1,
    Between = 2,
    /// A call of the guest begins: its number, and its event; no event for `init`.
    Begin = 3,
    Call = 4,
    End = 5,
    Verdict = 6,
}

impl FrameKind {
    pub const ALL: [Self; 6] = [Self::Base, Self::Between, Self::Begin, Self::Call, Self::End, Self::Verdict];

    pub fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// Begins a frame; answers where it begins.
pub fn open(bytes: &mut Vec<u8>, kind: FrameKind) -> usize {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; LENGTH_BYTES]);
    bytes.push(kind as u8);
    start
}

/// Ends the frame that begins there: writes its length.
pub fn close(bytes: &mut [u8], start: usize) {
    let length = (bytes.len() - start - LENGTH_BYTES) as u32;
    if let Some(place) = bytes.get_mut(start..start + LENGTH_BYTES) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Writes a frame of one value.
pub fn whole(bytes: &mut Vec<u8>, kind: FrameKind, value: &impl TapeWrite) {
    let start = open(bytes, kind);
    value.write_to(bytes);
    close(bytes, start);
}

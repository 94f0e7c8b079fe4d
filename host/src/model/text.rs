//! Words that come from outside, made fit to be shown.

/// Somebody else's words as a part of one line: nothing in them ends the line, or moves a terminal's cursor over what stands
/// before.
pub fn printable(words: &str) -> String {
    words.replace(|letter: char| letter.is_control() && letter != '\t', "\u{fffd}")
}

//! Making text from outside safe to print.

/// Replaces control characters, so that somebody else's text neither ends a line nor moves a terminal's cursor over
/// what stands before it.
pub fn printable(words: &str) -> String {
    words.replace(|letter: char| letter.is_control() && letter != '\t', "\u{fffd}")
}

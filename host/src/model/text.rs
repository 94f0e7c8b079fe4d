//! Making text from outside safe to print.

/// Replaces what is no letter but moves others, so that somebody else's text neither ends a line, nor moves a terminal's
/// cursor over what stands before it, nor shows words in another order.
pub fn printable(words: &str) -> String {
    words.replace(|letter: char| is_unprintable(letter) && letter != '\t', "\u{fffd}")
}

/// A guest's words for a line of the log, where fields of the host follow: those that could be taken for fields are quoted.
pub fn for_log(words: &str) -> String {
    let words = printable(words);
    if words.contains('=') { format!("{words:?}") } else { words }
}

/// Control characters, the separators of lines and paragraphs, and what turns the direction of writing.
pub fn is_unprintable(letter: char) -> bool {
    let turns =
        matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || turns || matches!(letter, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_other_letters_is_replaced() {
        for bad in [
            "\u{1b}", "\r", "\n", "\0", "\u{7f}", "\u{9b}", "\u{61c}", "\u{200f}", "\u{2028}", "\u{2029}", "\u{202e}",
            "\u{2066}",
        ] {
            assert_eq!(printable(&format!("a{bad}b")), "a\u{fffd}b", "{bad:?}");
        }
        let good = "tab\t, \u{fc}ml\u{e4}ut, \u{5d0}\u{5d1}, \u{1f469}\u{200d}\u{1f680}";
        assert_eq!(printable(good), good);
    }

    #[test]
    fn words_that_look_like_fields_are_quoted() {
        assert_eq!(for_log("it's 3 \\ 4"), "it's 3 \\ 4");
        assert_eq!(for_log("a tenant=\"evil\""), "\"a tenant=\\\"evil\\\"\"");
        assert_eq!(for_log("room=1"), "\"room=1\"");
    }
}

//! What commands say on standard output.

use std::io::{ErrorKind, Write as _};

use anyhow::Context as _;
use serde::Serialize;

use crate::model::text::{is_unprintable, printable};

/// The widest line: what a terminal shows beside something else.
const COLUMNS: usize = 120;

/// Prints a text, without what would move a terminal's cursor. Whoever reads it may have read enough: `parlor limits | head`
/// is no failure.
pub fn print(text: &str) -> anyhow::Result<()> {
    let lines: Vec<String> = text.split('\n').map(printable).collect();
    write(&lines.join("\n"))
}

/// Prints a value as JSON; what a terminal must not see is escaped.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = String::new();
    for letter in serde_json::to_string_pretty(value).context("cannot print")?.chars() {
        match letter {
            // Outside of texts there are none of these but the ends of lines.
            _ if is_unprintable(letter) && letter != '\n' => text.push_str(&format!("\\u{:04x}", u32::from(letter))),
            _ => text.push(letter),
        }
    }
    write(&format!("{text}\n"))
}

fn write(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(why) if why.kind() != ErrorKind::BrokenPipe => Err(why).context("cannot print"),
        _ => Ok(()),
    }
}

/// Says something beside what is printed, on standard error. Nobody may read it, which is no failure either.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A text in lines of at most so many columns, each of which begins with this.
pub fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent.len() + line.len() + 1 + word.len() > COLUMNS {
            lines.push_str(&format!("{indent}{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines + &format!("{indent}{line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words() {
        assert_eq!(wrapped("a few words", "  "), "  a few words\n");
        let long = wrapped(&"word ".repeat(60), "    ");
        assert!(long.lines().all(|line| line.len() <= COLUMNS && line.starts_with("    word")), "{long}");
        assert_eq!(long.matches("word").count(), 60);
    }
}

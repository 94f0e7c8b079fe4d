//! Reads what people write in TOML, and says what is wrong with it in one line: the file, the line, the key, and what was meant.

use std::path::Path;

use anyhow::Context as _;
use serde::de::DeserializeOwned;

/// How near a known key must be to one that nobody knows, from 0 to 1, to be what was meant. `clap` takes 0.7 for options, of
/// which there are fewer.
const IS_MEANT: f64 = 0.8;

/// Reads a file. An error names the file, the line and the key.
pub fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).map_err(|why| anyhow::anyhow!("{}{}", path.display(), what_is_wrong(&text, &why)))
}

/// Where a text is wrong, and how.
fn what_is_wrong(text: &str, why: &toml::de::Error) -> String {
    format!("{}: {}", place(text, why), with_what_is_meant(&without_value(why.message())))
}

/// What is wrong with a value, without the value itself, which may be a secret without its quotes.
fn without_value(message: &str) -> String {
    match message.split_once(", expected ") {
        Some((wrong, expected)) if wrong.starts_with("invalid ") => {
            let kind = wrong.split(['`', '"']).next().unwrap_or_default();
            format!("{}, expected {expected}", kind.trim_end())
        }
        _ => message.to_owned(),
    }
}

/// Names the one known key or word that was meant, if one is near, in place of a list of all, which may be a hundred.
fn with_what_is_meant(message: &str) -> String {
    let names = |kind: &str| message.strip_prefix(kind)?.split_once("`, expected ");
    let found = names("unknown field `").map(|found| ("key", found));
    let Some((kind, (unknown, known))) = found.or_else(|| names("unknown variant `").map(|found| ("value", found)))
    else {
        return message.to_owned();
    };
    // Every second piece stands between quotes.
    let known = known.split('`').skip(1).step_by(2);
    let nearness = |name: &&str| strsim::jaro_winkler(unknown, name);
    let meant = known.clone().max_by(|one, other| nearness(one).total_cmp(&nearness(other)));
    match meant.filter(|meant| nearness(meant) >= IS_MEANT) {
        Some(meant) => format!("there is no {kind} `{unknown}` here; is `{meant}` meant?"),
        None => format!("there is no {kind} `{unknown}` here, but {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// The line and the key at which a text is wrong.
fn place(text: &str, why: &toml::de::Error) -> String {
    let Some(before) = why.span().and_then(|span| text.get(..span.start)) else { return String::new() };
    let line = before.matches('\n').count();
    let key = text.lines().nth(line).and_then(|line| line.split('=').next()).unwrap_or_default();
    format!(", line {}, {}", line + 1, key.trim())
}

#[cfg(test)]
mod tests {
    use super::super::file::ConfigFile;
    use super::*;

    #[test]
    fn what_is_wrong_is_named_with_what_was_meant() {
        for (text, told) in [
            ("lisen = \"127.0.0.1:1\"", ", line 1, lisen: there is no key `lisen` here; is `listen` meant?"),
            (
                "\n[limits]\nturn-cpu-mss = 1",
                ", line 3, turn-cpu-mss: there is no key `turn-cpu-mss` here; is `turn-cpu-ms` meant?",
            ),
            ("watch = \"polll\"", ", line 1, watch: there is no value `polll` here; is `poll` meant?"),
            ("watch = \"zzz\"", ", line 1, watch: there is no value `zzz` here, but events, poll, off"),
            ("data = hunter2", ", line 1, data: string values must be quoted, expected literal string"),
            ("threads = \"hunter2\"", ", line 1, threads: invalid type: string, expected usize"),
        ] {
            let why = toml::from_str::<ConfigFile>(text).unwrap_err();
            assert_eq!(what_is_wrong(text, &why), told);
        }
    }
}

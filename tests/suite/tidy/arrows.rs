//! Which module of the host may use which: one event is followed by opening files in one direction.

use std::collections::BTreeMap;

use super::{Source, assert_tidy, sources, without_comment};

/// Each module of `host/src`, and those that it may use.
const ALLOWED: [(&str, &[&str]); 27] = [
    ("clock", &[]),
    ("files", &[]),
    ("randomness", &[]),
    ("roots", &[]),
    ("seldom", &["clock"]),
    ("logs", &["clock", "seldom"]),
    ("watchdog", &["clock"]),
    ("model", &["clock"]),
    ("live", &["clock", "model"]),
    ("traces", &["clock", "model", "roots", "seldom", "watchdog"]),
    ("protocol", &["model"]),
    ("folder", &["clock", "model"]),
    ("storage", &["clock", "model", "watchdog"]),
    ("alarms", &["clock", "model"]),
    ("tenant", &["clock", "live", "model", "storage", "traces"]),
    ("workers", &["clock", "tenant", "watchdog"]),
    ("config", &["folder", "model", "tenant", "traces"]),
    ("guest", &["clock", "model", "randomness", "storage", "tenant", "watchdog"]),
    ("plugin", &["clock", "files", "guest", "live", "model", "storage", "tenant"]),
    (
        "room",
        &[
            "alarms",
            "clock",
            "guest",
            "model",
            "plugin",
            "protocol",
            "randomness",
            "storage",
            "tenant",
            "traces",
            "workers",
        ],
    ),
    ("fleet", &["alarms", "clock", "guest", "model", "plugin", "protocol", "room", "storage", "tenant", "workers"]),
    ("socket", &["clock", "model", "protocol", "randomness", "room", "seldom", "workers"]),
    ("session", &["clock", "model", "protocol", "room", "seldom", "socket", "tenant", "workers"]),
    (
        "deploy",
        &[
            "clock", "config", "files", "fleet", "folder", "guest", "live", "model", "plugin", "tenant", "traces",
            "watchdog",
        ],
    ),
    (
        "server",
        &[
            "alarms",
            "clock",
            "config",
            "deploy",
            "fleet",
            "guest",
            "live",
            "logs",
            "model",
            "plugin",
            "protocol",
            "randomness",
            "room",
            "seldom",
            "session",
            "socket",
            "storage",
            "tenant",
            "traces",
            "watchdog",
            "workers",
        ],
    ),
    (
        "harness",
        &[
            "clock",
            "config",
            "fleet",
            "guest",
            "model",
            "plugin",
            "protocol",
            "randomness",
            "room",
            "server",
            "socket",
            "storage",
            "tenant",
            "watchdog",
            "workers",
        ],
    ),
    (
        "cli",
        &[
            "clock", "config", "deploy", "files", "fleet", "folder", "guest", "harness", "logs", "model", "plugin",
            "roots", "server", "storage", "tenant", "traces", "watchdog", "workers",
        ],
    ),
];

/// The module of `host/src` that a file belongs to.
fn module_of(path: &str) -> Option<&str> {
    let inner = path.strip_prefix("host/src/")?;
    inner.split('/').next()?.split('.').next()
}

/// How deep a file's module lies below the crate.
fn depth_of(path: &str) -> usize {
    let inner = path.trim_start_matches("host/src/");
    inner.split('/').count() - usize::from(inner.ends_with("/mod.rs"))
}

/// The modules that a code names behind `crate::`, those of a group included.
fn used_by(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (place, _) in code.match_indices("crate::") {
        let rest = code[place..].trim_start_matches("crate::");
        if let Some(group) = rest.strip_prefix('{') {
            used.extend(heads_of_group(group));
        } else {
            used.push(identifier(rest));
        }
    }
    used
}

/// The first name of each member of a `{..}` list, of which the opening brace is gone.
fn heads_of_group(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut at_head) = (1, true);
    for (place, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => at_head = true,
            _ if at_head && depth == 1 && !letter.is_whitespace() => {
                heads.push(identifier(&group[place..]));
                at_head = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

fn identifier(text: &str) -> String {
    let is_part = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
    text.chars().take_while(is_part).collect()
}

/// How many `super` a path begins with at most.
fn supers(code: &str) -> usize {
    code.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != ':' && letter != '_')
        .map(|path| path.split("::").take_while(|part| *part == "super").count())
        .max()
        .unwrap_or(0)
}

fn check(sources: &[Source]) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let mut complaints = Vec::new();
    for Source { path, text } in sources {
        let Some(from) = module_of(path) else { continue };
        if from == "lib" || from == "main" {
            continue;
        }
        let Some(may) = allowed.get(from) else {
            complaints.push(format!("{path}: the module `{from}` has no place in the table of arrows"));
            continue;
        };
        let code: Vec<&str> = text.lines().map(without_comment).collect();
        for to in used_by(&code.join("\n")) {
            if to != from && !may.contains(&to.as_str()) {
                complaints.push(format!("{path}: the arrow {from} -> {to} is not allowed"));
            }
        }
        let inner = code.iter().position(|line| line.starts_with("mod tests {")).unwrap_or(code.len());
        if code[..inner].iter().any(|line| supers(line) >= depth_of(path)) {
            complaints.push(format!("{path}: leaves its module through `super`; write `crate::`"));
        }
    }
    complaints
}

/// The modules that a crate's root declares.
fn declared(root: &str) -> Vec<String> {
    let names = root.lines().filter_map(|line| line.strip_prefix("pub mod "));
    names.map(|rest| rest.trim_end_matches(';').to_owned()).collect()
}

#[test]
fn modules_use_only_what_lies_below_them() {
    assert_tidy(&check(&sources(&["host/src"], &[".rs"])));
}

#[test]
fn the_table_has_every_module_and_no_cycle() {
    let library = Source::read("host/src/lib.rs").expect("host/src/lib.rs");
    let mut known: Vec<&str> = ALLOWED.iter().map(|(module, _)| *module).collect();
    known.sort_unstable();
    assert_eq!(declared(&library.text), known);
    // The table is written from the bottom upwards: each module may use only those above its own line.
    for (place, (module, may)) in ALLOWED.iter().enumerate() {
        for to in *may {
            let below = ALLOWED[..place].iter().any(|(lower, _)| lower == to);
            assert!(below, "{module} -> {to} points upwards");
        }
    }
}

#[test]
fn the_program_uses_the_library_through_its_commands_alone() {
    let program = Source::read("host/src/main.rs").expect("host/src/main.rs");
    let used: Vec<String> = program
        .text
        .match_indices("parlor::")
        .map(|(place, name)| identifier(&program.text[place + name.len()..]))
        .collect();
    assert_eq!(used, ["cli"]);
}

#[test]
fn a_wrong_arrow_is_found_and_named() {
    let bad = [
        Source::sample("host/src/model/turn.rs", "use crate::storage::Storage;\n"),
        Source::sample("host/src/plugin/a.rs", "use crate::{\n    model::{x, y},\n    room::handle,\n};\n"),
        Source::sample("host/src/room/b.rs", "fn f() { crate::socket::go() }\n"),
        Source::sample("host/src/novel/c.rs", "use crate::model;\n"),
        Source::sample("host/src/plugin/imports/d.rs", "use super::super::super::room::x;\n"),
        Source::sample("host/src/clock.rs", "use super::socket;\n"),
    ];
    let found = check(&bad);
    assert_eq!(found.len(), 6, "{found:#?}");
    for (complaint, words) in found.iter().zip([
        "host/src/model/turn.rs: the arrow model -> storage",
        "host/src/plugin/a.rs: the arrow plugin -> room",
        "host/src/room/b.rs: the arrow room -> socket",
        "the module `novel`",
        "host/src/plugin/imports/d.rs: leaves",
        "host/src/clock.rs: leaves",
    ]) {
        assert!(complaint.contains(words), "{complaint}");
    }
}

#[test]
fn right_arrows_are_let_through() {
    let good = [
        Source::sample("host/src/room/a.rs", "// crate::socket\nuse crate::{model::{a, b}, plugin::c};\n"),
        Source::sample("host/src/plugin/imports/b.rs", "use super::super::state::S;\nuse crate::plugin::x;\n"),
        Source::sample("host/src/clock.rs", "mod tests {\n    use super::*;\n}\n"),
    ];
    assert_tidy(&check(&good));
}

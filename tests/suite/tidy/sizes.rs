//! Files under 400 lines, functions under 70: what is longer holds two ideas.

use super::{Source, assert_tidy, sources};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// What is longer than it should be, with its length now: the number may only fall. Empty, and meant to stay so.
const EXCEPTIONS: [(&str, usize); 0] = [];

/// A function's name and its lines, from its head to its closing brace. Code is formatted by machine, so the brace
/// stands where the head's line begins.
fn functions(source: &Source) -> Vec<(String, usize)> {
    let is_head = if source.path.ends_with(".rs") { is_rust_head } else { is_script_head };
    let lines: Vec<&str> = source.text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        if !is_head(line.trim_start()) {
            continue;
        }
        let closes = |other: &&str| indent(other) == indent(line) && other.trim_start().starts_with('}');
        if line.ends_with('}') || line.ends_with(';') {
            continue;
        }
        if let Some(length) = lines[start + 1..].iter().position(closes) {
            found.push((line.trim().to_owned(), length + 2));
        }
    }
    found
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn is_rust_head(line: &str) -> bool {
    let words = line.split_whitespace();
    let mut words = words.skip_while(|word| {
        matches!(*word, "async" | "const" | "unsafe" | "extern" | "\"C\"" | "default") || word.starts_with("pub")
    });
    words.next() == Some("fn")
}

fn is_script_head(line: &str) -> bool {
    // A group of tests is a list, not a function.
    if line.starts_with("describe(") {
        return false;
    }
    let keyword = ["if", "for", "while", "switch", "catch", "else", "}", "do", "try", "return", "with"];
    let first = line.split(|letter: char| !letter.is_alphanumeric() && letter != '}').next().unwrap_or_default();
    let opens = line.ends_with('{');
    opens
        && (line.contains("function") || line.ends_with("=> {") || (line.ends_with(") {") && !keyword.contains(&first)))
}

fn check(sources: &[Source], exceptions: &[(&str, usize)]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut judge = |name: String, lines: usize, bound: usize| {
        let allowed = exceptions.iter().find(|(exception, _)| *exception == name);
        match allowed {
            Some((_, allowed)) if lines > *allowed => {
                complaints.push(format!("{name} grew to {lines} lines, from {allowed}"))
            }
            Some((_, allowed)) if lines < *allowed => {
                complaints.push(format!("{name} fell to {lines} lines: write that down instead of {allowed}"));
            }
            None if lines >= bound => complaints.push(format!("{name} has {lines} lines; fewer than {bound}, please")),
            _ => {}
        }
    };
    for source in sources {
        judge(source.path.clone(), source.text.lines().count(), FILE_LINES);
        for (head, lines) in functions(source) {
            judge(format!("{}: {head}", source.path), lines, FUNCTION_LINES);
        }
    }
    complaints
}

#[test]
fn files_and_functions_are_short() {
    let mut all = sources(&["host", "guest-sdk", "plugins", "tests"], &[".rs", ".ts", ".js", ".mjs"]);
    all.retain(|source| !source.path.contains("/generated/"));
    assert_tidy(&check(&all, &EXCEPTIONS));
}

#[test]
fn what_is_too_long_is_found_and_named() {
    let body = "    x();\n".repeat(80);
    let rust = format!("pub(super) async fn long() {{\n{body}}}\n\nfn short() {{\n    x();\n}}\n");
    let method = format!(
        "impl X {{\n    fn long(&self)\n    where\n        A: B,\n    {{\n{}    }}\n}}\n",
        body.replace("    ", "        ")
    );
    let script = format!("export class A {{\n  #long(a) {{\n{body}  }}\n}}\n");
    let arrow = format!("const f = async (a) => {{\n{body}}};\n");
    let bad = [
        Source::sample("a.rs", &rust),
        Source::sample("b.rs", &method),
        Source::sample("c.js", &script),
        Source::sample("d.mjs", &arrow),
        Source::sample("e.rs", &"\n".repeat(400)),
    ];
    let found = check(&bad, &[]);
    let named = ["a.rs: pub(super) async fn long", "b.rs: fn long", "c.js: #long", "d.mjs: const f", "e.rs has 400"];
    assert_eq!(found.len(), named.len(), "{found:#?}");
    found.iter().zip(named).for_each(|(complaint, name)| assert!(complaint.contains(name), "{complaint}"));
}

#[test]
fn exceptions_may_only_shrink() {
    let file = |lines: usize| [Source::sample("a.rs", &"\n".repeat(lines))];
    assert!(check(&file(450), &[("a.rs", 450)]).is_empty());
    assert_eq!(check(&file(451), &[("a.rs", 450)]).len(), 1);
    assert_eq!(check(&file(449), &[("a.rs", 450)]).len(), 1);
}

//! Queues without a bound, and code that ends the process of every tenant for the mistake of one.

use super::{Source, assert_tidy, sources, without_comment};

/// What opens a queue that can grow for ever.
const UNBOUNDED: [&str; 5] =
    ["unbounded_channel", "mpsc::unbounded", "UnboundedSender", "std::sync::mpsc::channel(", "mpsc::channel()"];
/// What panics: on a value that was not there, or on a condition that does not hold.
const PANICS: [&str; 11] = [
    ".unwrap()",
    ".expect(",
    ".unwrap_err()",
    ".expect_err(",
    "panic!(",
    "todo!(",
    "unimplemented!(",
    "unreachable!(",
    "assert!(",
    "assert_eq!(",
    "assert_ne!(",
];

/// What writes to a standard stream by itself: it panics where the stream is gone, and waits where nobody reads.
const PRINTS: [&str; 2] = ["println!(", "print!("];
/// The standard streams themselves, which only these may touch: the queue before them, the commands that end when they have
/// said what they have to say, and the child that compiles.
const STREAMS: [&str; 3] = ["io::stdout", "io::stderr", "rustix::stdio"];
const MAY_TOUCH_STREAMS: [&str; 3] = ["host/src/logs.rs", "host/src/cli/", "host/src/plugin/compiler/child.rs"];

/// The lines that are compiled into the program: without comments, and without what `#[cfg(test)]` stands over.
fn program_lines(text: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut all = text.lines().enumerate();
    while let Some((number, line)) = all.next() {
        if !line.trim_start().starts_with("#[cfg(test)]") {
            lines.push((number + 1, without_comment(line)));
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let ends = |line: &str| {
            let same = line.len() - line.trim_start().len() == indent;
            same && (line.ends_with(';') || line.trim_start().starts_with('}') || line.ends_with('}'))
        };
        all.by_ref().find(|(_, line)| ends(line));
    }
    lines
}

/// Files that are modules for tests alone, by their declaration in the module above.
fn test_files(sources: &[Source]) -> Vec<String> {
    let mut files = Vec::new();
    for Source { path, text } in sources {
        let folder = path.trim_end_matches(".rs").trim_end_matches("/mod");
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]") {
            let name = pair[1].trim_start_matches("pub ").strip_prefix("mod ");
            if let Some(name) = name.and_then(|rest| rest.strip_suffix(';')) {
                files.push(format!("{folder}/{name}.rs"));
            }
        }
    }
    files
}

fn check(sources: &[Source], patterns: &[&str]) -> Vec<String> {
    let tests = test_files(sources);
    let mut complaints = Vec::new();
    // What a module for tests declares is for tests as well.
    let is_test = |path: &str| {
        tests.iter().any(|test| path == test || path.starts_with(&format!("{}/", test.trim_end_matches(".rs"))))
    };
    for source in sources.iter().filter(|source| !is_test(&source.path)) {
        for (number, line) in program_lines(&source.text) {
            if let Some(pattern) = patterns.iter().find(|pattern| line.contains(**pattern)) {
                complaints.push(format!("{}:{number}: `{pattern}`", source.path));
            }
        }
    }
    complaints
}

#[test]
fn no_queue_is_without_a_bound() {
    assert_tidy(&check(&sources(&["host/src", "guest-sdk/rust"], &[".rs"]), &UNBOUNDED));
}

#[test]
fn the_host_does_not_panic_on_what_it_is_given() {
    // The templates of `parlor new` are projects with tests.
    let mut sources = sources(&["host/src"], &[".rs"]);
    sources.retain(|source| !source.path.contains("/templates/"));
    assert_tidy(&check(&sources, &PANICS));
}

#[test]
fn nothing_that_serves_waits_for_whoever_reads_its_words() {
    let mut sources = sources(&["host/src"], &[".rs"]);
    assert_tidy(&check(&sources, &PRINTS));
    sources.retain(|source| !MAY_TOUCH_STREAMS.iter().any(|may| source.path.starts_with(may)));
    assert_tidy(&check(&sources, &STREAMS));
    let bad = [Source::sample("a.rs", "fn f() {\n    eprintln!(\"x\");\n    eprint!(\"x\");\n    println!();\n}\n")];
    assert_eq!(check(&bad, &PRINTS).len(), 3);
}

#[test]
fn hazards_are_found_and_named() {
    let bad = [
        Source::sample("a.rs", "fn f() {\n    let (tx, rx) = tokio::sync::mpsc::unbounded_channel();\n}\n"),
        Source::sample("b.rs", "fn f() {\n    let (tx, rx) = std::sync::mpsc::channel();\n}\n"),
    ];
    assert_eq!(check(&bad, &UNBOUNDED).len(), 2);
    let bad = [Source::sample(
        "c.rs",
        "#[cfg(test)]\nuse x;\nfn f() {\n    g().unwrap();\n    g().expect(\"g\"); // why\n}\n",
    )];
    let found = check(&bad, &PANICS);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("c.rs:4: `.unwrap()`"), "{found:?}");
    for line in ["unreachable!(\"never\")", "assert!(x)", "debug_assert!(x)", "assert_eq!(x, y)", "todo!()"] {
        let bad = [Source::sample("d.rs", &format!("fn f() {{\n    {line};\n}}\n"))];
        assert_eq!(check(&bad, &PANICS).len(), 1, "{line}");
    }
}

#[test]
fn tests_and_comments_may_say_what_they_like() {
    let good = [
        Source::sample("a/mod.rs", "#[cfg(test)]\nmod suite;\n// a.unwrap()\nfn f() -> u32 {\n    a.unwrap_or(1)\n}\n"),
        Source::sample("a/suite.rs", "mod part;\nfn f() {\n    g().unwrap();\n}\n"),
        Source::sample("a/suite/part.rs", "fn f() {\n    g().unwrap();\n}\n"),
        Source::sample(
            "b.rs",
            "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn f() {\n        g().unwrap();\n    }\n}\n",
        ),
    ];
    assert_tidy(&check(&good, &PANICS));
}

//! The shell of the pages: the program's own parser reads each of its commands; of others what they name exists.

use std::path::Path;

use clap::Parser as _;

use super::blocks::{Block, blocks_of};
use crate::harness::root;

/// Programs of the system, of which nothing is checked.
const OF_THE_SYSTEM: [&str; 4] = ["cd", "grep", "mv", "openssl"];

/// The commands of a block: lines that go on are one, comments are none, and redirections and variables are left out.
fn commands(text: &str) -> Vec<Vec<String>> {
    let whole = text.replace("\\\n", " ");
    let lines = whole.lines().flat_map(|line| without_comment(line).split("&&").map(words).collect::<Vec<_>>());
    lines.filter(|words| !words.is_empty()).collect()
}

fn without_comment(line: &str) -> &str {
    if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or_default() }
}

/// The words of a command, quotes taken off.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in command.trim().chars() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().expect("there is one").push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    let is_variable = |word: &String| word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && is_upper(name));
    let command = words.into_iter().skip_while(is_variable);
    command.take_while(|word| word != ">" && word != "<").collect()
}

fn is_upper(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// What is wrong with a command.
fn check(words: &[String]) -> Result<(), String> {
    let rest = &words[1..];
    match words[0].as_str() {
        "parlor" => parlor(rest),
        "cargo" => cargo(rest),
        "npm" => npm(rest),
        "target/release/parlor-load" => load(rest),
        // A test of its own sends what it sends.
        "curl" if rest.iter().any(|word| word.starts_with("http://127.0.0.1:7070/_parlor/")) => Ok(()),
        program if OF_THE_SYSTEM.contains(&program) => Ok(()),
        other => Err(format!("nobody knows the program {other}")),
    }
}

fn parlor(arguments: &[String]) -> Result<(), String> {
    let all = std::iter::once("parlor").chain(arguments.iter().map(String::as_str));
    parlor::cli::Cli::try_parse_from(all).map(drop).map_err(|why| why.to_string())
}

fn exists(path: &str) -> Result<(), String> {
    if root().join(path).exists() { Ok(()) } else { Err(format!("{path} does not exist")) }
}

/// The text of the file of a package's manifest, wherever in the workspace it lies.
fn is_package(name: &str) -> bool {
    let members = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace's manifest");
    let quoted = members.split('"').skip(1).step_by(2);
    let mut manifests = quoted.filter_map(|path| std::fs::read_to_string(root().join(path).join("Cargo.toml")).ok());
    manifests.any(|text| text.contains(&format!("name = \"{name}\"")))
}

fn cargo(arguments: &[String]) -> Result<(), String> {
    let end = arguments.iter().position(|word| word == "--").unwrap_or(arguments.len());
    let (own, behind) = arguments.split_at(end);
    let known = ["bench", "build", "check", "doc", "install", "run", "test"];
    let Some(command) = own.first().filter(|command| known.contains(&command.as_str())) else {
        return Err(format!("cargo has no {own:?}"));
    };
    for pair in own.windows(2) {
        match pair[0].as_str() {
            "-p" if !is_package(&pair[1]) => return Err(format!("there is no package {}", pair[1])),
            "--path" => exists(&pair[1])?,
            _ => {}
        }
    }
    if command == "run" { parlor(behind.get(1..).unwrap_or_default()) } else { Ok(()) }
}

fn npm(arguments: &[String]) -> Result<(), String> {
    let value = |flag: &str| arguments.iter().position(|word| word == flag).and_then(|at| arguments.get(at + 1));
    // Without a folder it is that of a new project.
    let folder = value("--prefix").map_or("host/src/cli/new/templates/typescript", String::as_str);
    exists(folder)?;
    let script = match arguments.first().map(String::as_str) {
        Some("ci") => return Ok(()),
        Some("test") => "test",
        Some("run") => arguments.get(1).map_or("", String::as_str),
        other => return Err(format!("npm has no {other:?}")),
    };
    let texts =
        ["package.json", "package.json.txt"].map(|file| std::fs::read_to_string(root().join(folder).join(file)));
    let has = |text: &String| text.contains(&format!("\"{script}\":"));
    if texts.iter().flatten().any(has) { Ok(()) } else { Err(format!("{folder} has no script {script}")) }
}

/// The load program is another package: its source has a field for each of its flags, and a command for each of its own.
fn load(arguments: &[String]) -> Result<(), String> {
    let source = source_of(&root().join("tests/load/src"));
    let command = arguments.first().map_or("", String::as_str);
    let variant = format!("{}{}(", command[..1].to_uppercase(), &command[1..]);
    if !source.contains(&variant) {
        return Err(format!("parlor-load has no command {command}"));
    }
    for flag in arguments.iter().filter_map(|word| word.strip_prefix("--")) {
        if !source.contains(&format!(" {}: ", flag.replace('-', "_"))) {
            return Err(format!("parlor-load has no flag --{flag}"));
        }
    }
    Ok(())
}

fn source_of(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        text.push_str(&if path.is_dir() { source_of(&path) } else { std::fs::read_to_string(path).expect("text") });
    }
    text
}

fn complaints(block: &Block) -> Vec<String> {
    let wrong = commands(&block.text).into_iter().filter_map(|words| Some((check(&words).err()?, words)));
    wrong.map(|(why, words)| format!("{}: {}: {why}", block.place(), words.join(" "))).collect()
}

#[test]
fn every_command_exists_and_takes_its_arguments() {
    let blocks = blocks_of("sh");
    let found: Vec<String> = blocks.iter().flat_map(complaints).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    let count = blocks.iter().map(|block| commands(&block.text).len()).sum::<usize>();
    assert!(count > 50, "only {count} commands were found");
}

#[test]
fn a_wrong_command_is_found() {
    for bad in [
        "parlor serv",
        "parlor serve --port 1",
        "parlor data check",
        "cargo run --release -- devv",
        "cargo test -p no-such-package",
        "cargo install --path nowhere",
        "npm run no-such-script",
        "target/release/parlor-load run --no-such-flag",
        "target/release/parlor-load jump",
        "parlour serve",
    ] {
        assert!(check(&words(bad)).is_err(), "{bad}");
    }
    let good = "# a comment\nA=b parlor rollback acme/chat   # back\ncd x && parlor limits \\\n  --why\n";
    let found = commands(good);
    assert_eq!(found, [vec!["parlor", "rollback", "acme/chat"], vec!["cd", "x"], vec!["parlor", "limits", "--why"]]);
    assert!(found.iter().all(|words| check(words).is_ok()));
}

//! The documentation, run: every block of code in the pages does what it says, or a marker above it says why nobody can
//! run it. TypeScript is run by the SDK's own tests (`guest-sdk/typescript/test/pages.test.ts`), what is for browsers by
//! a browser (`tests/browser/pages/docs.test.mjs`), what is for proxies by the proxies (`tests/suite/proxies/programs.rs`),
//! and what is beside a server of Socket.IO by both (`tests/suite/socketio/page.rs`).
//!
//! A marker is a comment on the line above a block:
//!
//! | marker | what it says |
//! |---|---|
//! | `<!-- not run: REASON -->` | why the block is not run |
//! | `<!-- answer: STATUS -->` | JSON: what the request in the block before is answered with |
//! | `<!-- client sends -->`, `<!-- client gets -->` | JSON: a frame of a client of the plugin `chat` |
//! | `<!-- answers -->` | JSON lines: what the harness answers to the steps in the block before |
//! | `<!-- manifest -->` | TOML: a part of a Cargo.toml, not the server's configuration |
//! | `<!-- room -->`, `<!-- test -->` | Python: a part of the page's room, and a test of it |
//! | `<!-- prints: WORDS -->` | JavaScript: what it writes to a browser's console |
//! | `<!-- server of Socket.IO -->` | JavaScript: what the plugin in the next block does as well |
//! | `<!-- client of both, prints: LINES -->` | JavaScript: what it writes, run against that server and against that plugin |

mod api;
pub mod blocks;
mod c;
mod commands;
mod config;
mod facts;
mod frames;
mod go;
mod harness;
mod limits;
mod newcomer;
mod rust;
mod security;
mod verdicts;
mod watch;

use blocks::{Block, Page, pages};

/// More blocks than these that nobody runs are too many.
const NOT_RUN_MAX: usize = 4;
/// The languages that a test runs.
const RUN: [&str; 13] =
    ["c", "caddyfile", "go", "haproxy", "js", "json", "jsonl", "nginx", "python", "rust", "sh", "toml", "ts"];
/// The marker of a server of Socket.IO, and how that of its client begins: what the client prints follows.
pub const SERVER: &str = "server of Socket.IO";
pub const CLIENT: &str = "client of both, prints: ";
/// The pages whose TypeScript and JavaScript the other test programs read.
const SCRIPTED: [&str; 3] = ["README.md", "docs/", "guest-sdk/typescript/README.md"];

/// What is wrong with a block before anybody runs it.
fn complaint(block: &Block) -> Option<String> {
    let language = block.language.as_str();
    let is_known = match block.marker.as_deref() {
        Some(marker) if marker.starts_with("not run: ") => return None,
        // The harness's page has one client in Python, which is run as it is.
        None if language == "python" => block.page == "docs/authors/harness.md",
        None => RUN.contains(&language) && language != "js",
        Some("room" | "test") => language == "python",
        Some(marker) if marker.starts_with("answer: ") => language == "json",
        Some("client sends" | "client gets") => language == "json",
        Some("manifest") => language == "toml",
        Some(marker) if marker.starts_with("prints: ") || marker.starts_with(CLIENT) => language == "js",
        Some(SERVER) => language == "js",
        Some(harness::ANSWERS) => language == "jsonl",
        Some(_) => false,
    };
    let is_script = ["js", "ts"].contains(&language);
    if !is_known {
        let marker = block.marker.as_deref().unwrap_or("no marker");
        return Some(format!("{}: nobody runs a block of {language:?} with {marker}", block.place()));
    }
    if is_script && !SCRIPTED.iter().any(|page| block.page.starts_with(page)) {
        return Some(format!("{}: nobody looks for {language} in this page", block.place()));
    }
    let parses = language != "json" || serde_json::from_str::<serde_json::Value>(&block.text).is_ok();
    (!parses).then(|| format!("{}: this is no JSON", block.place()))
}

#[test]
fn every_block_is_run_or_says_why_not() {
    let blocks: Vec<Block> = pages().iter().flat_map(Page::blocks).collect();
    let complaints: Vec<String> = blocks.iter().filter_map(complaint).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    let not_run = |block: &&Block| block.marker.as_ref().is_some_and(|marker| marker.starts_with("not run"));
    let not_run: Vec<String> = blocks.iter().filter(not_run).map(Block::place).collect();
    assert!(not_run.len() <= NOT_RUN_MAX, "{} blocks are not run: {not_run:?}", not_run.len());
    assert!(blocks.len() > 80, "only {} blocks were found", blocks.len());
}

#[test]
fn a_block_that_nobody_runs_is_found() {
    let page = |text: &str| Page { path: "docs/a.md".to_owned(), text: text.to_owned() };
    for bad in [
        "```\nx\n```\n",
        "```perl\nx\n```\n",
        "```js\nx\n```\n",
        "```json\n{x\n```\n",
        "<!-- not run -->\n```sh\nx\n```\n",
        "<!-- answer: 200 -->\n```sh\nx\n```\n",
    ] {
        let found: Vec<String> = page(bad).blocks().iter().filter_map(complaint).collect();
        assert_eq!(found.len(), 1, "{bad}: {found:?}");
        assert!(found[0].starts_with("docs/a.md:"), "{found:?}");
    }
    let good = page("<!-- not run: needs nginx -->\n```nginx\nx\n```\n\n```sh\nparlor limits\n```\n");
    assert_eq!(good.blocks().iter().filter_map(complaint).count(), 0);
    assert_eq!(good.blocks().len(), 2);
}

//! The pages, and the blocks of code in them.

use std::path::Path;

use crate::harness::root;

/// Pages beside those of `docs/`.
const OTHERS: [&str; 9] = [
    "README.md",
    "CONTRIBUTING.md",
    "guest-sdk/c/README.md",
    "guest-sdk/go/README.md",
    "guest-sdk/rust/README.md",
    "plugins/README.md",
    "tests/README.md",
    "wit/README.md",
    "CHANGELOG.md",
];

/// A page of the documentation.
#[derive(Debug)]
pub struct Page {
    /// From the root, with `/`.
    pub path: String,
    pub text: String,
}

/// A block of code.
#[derive(Debug, Clone)]
pub struct Block {
    pub page: String,
    /// The line of its fence, from 1.
    pub line: usize,
    pub language: String,
    /// What the comment on the line above says.
    pub marker: Option<String>,
    pub text: String,
}

impl Block {
    /// `PAGE:LINE`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }
}

/// All pages whose blocks are run.
pub fn pages() -> Vec<Page> {
    let mut paths: Vec<String> = OTHERS.map(str::to_owned).to_vec();
    collect("docs", &mut paths);
    paths.sort();
    paths.into_iter().map(|path| page(&path)).collect()
}

/// One page, by its path from the root.
pub fn page(path: &str) -> Page {
    let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"));
    Page { path: path.to_owned(), text }
}

fn collect(folder: &str, paths: &mut Vec<String>) {
    for entry in std::fs::read_dir(root().join(folder)).unwrap_or_else(|why| panic!("{folder}: {why}")) {
        let name = entry.expect("an entry of a folder").file_name().into_string().expect("file names are UTF-8");
        let path = format!("{folder}/{name}");
        if root().join(&path).is_dir() {
            collect(&path, paths);
        } else if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
}

impl Page {
    /// The blocks of a page in their order. One within a list is indented as far as its fence.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().enumerate();
        let mut above = "";
        while let Some((number, line)) = lines.next() {
            let Some(language) = line.trim_start().strip_prefix("```") else {
                above = line;
                continue;
            };
            let indent = line.len() - line.trim_start().len();
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```");
            let inside = inside.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default()));
            let marker = above.trim().strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
            blocks.push(Block {
                page: self.path.clone(),
                line: number + 1,
                language: language.trim().to_owned(),
                marker: marker.map(str::to_owned),
                text: inside.collect(),
            });
            above = "";
        }
        blocks
    }

    /// The text below a heading, to the next one of the same depth or above.
    pub fn section(&self, heading: &str) -> &str {
        let start = self.text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("{}: {heading}", self.path));
        let body = &self.text[start + heading.len() + 2..];
        let depth = heading.split(' ').next().unwrap_or_default().len();
        let ends = |line: &str| {
            let hashes = line.bytes().take_while(|byte| *byte == b'#').count();
            (1..=depth).contains(&hashes)
        };
        let length = body.split_inclusive('\n').take_while(|line| !ends(line)).map(str::len).sum();
        &body[..length]
    }
}

/// The names in backticks in the first cell of each row of a text's tables.
pub fn first_cells(text: &str) -> Vec<String> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| row.split(" | ").next().unwrap_or_default());
    cells.flat_map(|cell| cell.trim_end_matches('`').split("`, `").map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// All blocks of a language.
pub fn blocks_of(language: &str) -> Vec<Block> {
    let blocks = pages().iter().flat_map(Page::blocks).collect::<Vec<_>>();
    let not_run = |block: &Block| block.marker.as_ref().is_some_and(|marker| marker.starts_with("not run"));
    blocks.into_iter().filter(|block| block.language == language && !not_run(block)).collect()
}

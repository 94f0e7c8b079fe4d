//! What the documents say exists, exists: paths in backticks, and where links lead.

use super::{Source, assert_tidy, root, sources};

/// Documents that are held to all of it, beside those of `docs/`.
const DOCUMENTS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"];
/// The README is read in one go.
const README_LINES: usize = 90;
/// Folders whose pages have links as well.
const FOLDERS: [&str; 5] = ["docs", "guest-sdk", "plugins", "tests", "wit"];
/// Folders of which each page tells of every folder in it.
const LISTED: [(&str, &str); 2] = [("plugins", "plugins/README.md"), ("tests", "tests/README.md")];

/// The lines outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_block = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_block ^= is_fence;
        !in_block && !is_fence
    })
}

/// What stands in backticks outside of code blocks.
fn quoted(text: &str) -> Vec<&str> {
    prose(text).flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

/// Whether a quoted text is a path of this repository: it says so by its first folder.
fn is_path(quoted: &str, is_folder: impl Fn(&str) -> bool) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
    let first = quoted.split_once('/').map(|(first, _)| first);
    quoted.chars().all(plain) && first.is_some_and(|first| !first.is_empty() && first != "target" && is_folder(first))
}

/// The paths that a document names and nobody finds: from the root, or from the host's modules.
fn check_paths(document: &Source, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let somewhere = |path: &str| {
        let path = path.trim_end_matches('/');
        ["", "host/", "host/src/", "guest-sdk/rust/", "guest-sdk/rust/src/", "guest-sdk/typescript/", "tests/"]
            .iter()
            .any(|base| exists(&format!("{base}{path}")) || exists(&format!("{base}{path}.rs")))
    };
    let paths = quoted(&document.text).into_iter().filter(|text| is_path(text, somewhere));
    let missing = paths.filter(|path| !somewhere(path));
    missing.map(|path| format!("{}: `{path}` does not exist", document.path)).collect()
}

/// The targets of the links and pictures of a text.
fn links(text: &str) -> Vec<&str> {
    let after = prose(text).flat_map(|line| line.split("](").skip(1));
    after.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

/// The anchors of a text's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let letters = heading.trim_start_matches('#').trim().chars();
        let kept = letters.filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter.to_ascii_lowercase() }).collect()
    };
    headings.map(anchor).collect()
}

/// A path beside a document, from the root.
fn beside(document: &str, path: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The links of a document that lead nowhere. `read` answers a file's text, and nothing for a folder.
fn check_links(document: &Source, exists: impl Fn(&str) -> bool, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let inside = links(&document.text).into_iter().filter(|target| !target.contains("://"));
    let leads_nowhere = |target: &&str| {
        let (path, anchor) = target.split_once('#').map_or((*target, None), |(path, anchor)| (path, Some(anchor)));
        let (path, text) = match path {
            "" => (document.path.clone(), Some(document.text.clone())),
            path => (beside(&document.path, path), read(&beside(&document.path, path))),
        };
        let has_anchor = |anchor: &str| anchors(&text.unwrap_or_default()).iter().any(|known| known == anchor);
        !exists(&path) || anchor.is_some_and(|anchor| !has_anchor(anchor))
    };
    inside.filter(leads_nowhere).map(|target| format!("{}: the link {target} leads nowhere", document.path)).collect()
}

fn documents() -> Vec<Source> {
    let first = DOCUMENTS.map(|path| Source::read(path).unwrap_or_else(|| panic!("{path} is missing")));
    first.into_iter().chain(sources(&["docs"], &[".md"])).collect()
}

fn exists(path: &str) -> bool {
    root().join(path).exists()
}

#[test]
fn documents_name_only_what_exists() {
    for document in documents() {
        assert_tidy(&check_paths(&document, exists));
        for (number, line) in document.text.lines().enumerate() {
            assert!(!line.contains("TODO"), "{}:{}: {line}", document.path, number + 1);
        }
    }
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let pages = documents().into_iter().chain(sources(&FOLDERS, &[".md"]));
    let read = |path: &str| std::fs::read_to_string(root().join(path)).ok();
    let complaints: Vec<String> = pages.flat_map(|page| check_links(&page, exists, read)).collect();
    assert_tidy(&complaints);
}

#[test]
fn the_readme_is_short_and_the_index_names_every_page() {
    let readme = Source::read("README.md").expect("a README");
    let lines = readme.text.lines().count();
    assert!(lines <= README_LINES, "README.md has {lines} lines; at most {README_LINES}, please");
    let index = Source::read("docs/README.md").expect("an index");
    for page in sources(&["docs"], &[".md"]).iter().filter(|page| page.path != index.path) {
        let link = format!("({})", page.path.trim_start_matches("docs/"));
        assert!(index.text.contains(&link), "{} does not name {}", index.path, page.path);
    }
}

#[test]
fn a_folders_page_tells_of_every_folder_in_it() {
    for (folder, page) in LISTED {
        let text = Source::read(page).unwrap_or_else(|| panic!("{page} is missing")).text;
        for entry in std::fs::read_dir(root().join(folder)).expect("a folder").map(|entry| entry.expect("an entry")) {
            let name = entry.file_name().into_string().expect("file names are UTF-8");
            let is_told = [format!("`{name}/`"), format!("[{name}]")].iter().any(|words| text.contains(words));
            assert!(is_told || !entry.path().is_dir(), "{page} does not tell of {folder}/{name}");
        }
    }
}

#[test]
fn a_path_that_leads_nowhere_is_found() {
    let exists = |path: &str| ["host", "host/src", "host/src/room", "host/src/room/actor.rs"].contains(&path);
    let bad = Source::sample(
        "A.md",
        "See `host/src/gone.rs`, `room/actor`, `room/gone` and `text/plain`.\n```\n`host/in/a/block`\n```\n",
    );
    let found = check_paths(&bad, exists);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("host/src/gone.rs") && found[1].contains("room/gone"), "{found:?}");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = "# A page: one!\n[good](../b.md#two-words) [good](#a-page-one) [good](https://x.y/z) ![gone](gone.png)\n\
                [gone](../b.md#three) [gone](#four)\n```\n[in](a-block)\n```\n";
    let page = Source::sample("docs/a.md", page);
    let read = |path: &str| (path == "b.md").then(|| "## Two words\n".to_owned());
    let found = check_links(&page, |path| ["b.md", "docs/a.md"].contains(&path), read);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].contains("gone.png") && found[1].contains("#three") && found[2].contains("#four"), "{found:?}");
}

//! The table of what tenants share: each row names tests, and each of them is there.

use std::fs;

use super::blocks::page;
use crate::harness::root;

/// The tests that a cell names, each by its place below `tests/suite`.
fn named(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether the suite has a test in this place: `folder::file::function`, or `folder::function` for the folder's `mod.rs`.
fn is_there(place: &str) -> bool {
    let Some((module, function)) = place.rsplit_once("::") else { return false };
    let file = root().join("tests/suite").join(module.replace("::", "/"));
    let texts =
        [file.with_extension("rs"), file.join("mod.rs")].map(|file| fs::read_to_string(file).unwrap_or_default());
    texts.iter().any(|text| is_test(text, function))
}

/// Whether a source has this function as a test: nothing but attributes and `async` stands between.
fn is_test(text: &str, function: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let heads = [format!("fn {function}("), format!("async fn {function}(")];
    let place = lines.iter().position(|line| heads.iter().any(|head| line.starts_with(head.as_str())));
    place.is_some_and(|place| {
        let above = lines[..place].iter().rev().take_while(|line| line.starts_with("#["));
        above.into_iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    })
}

#[test]
fn each_thing_that_tenants_share_has_a_test() {
    let page = page("SECURITY.md");
    let rows: Vec<&str> =
        page.section("## What tenants share").lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 30, "only {} rows", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [what, how, charged, tests] = cells[..] else { panic!("not four cells: {row}") };
        assert!(![what, how, charged].contains(&""), "an empty cell: {row}");
        let tests = named(tests);
        assert!(!tests.is_empty(), "no test: {row}");
        for test in tests {
            assert!(is_there(&test), "{what}: there is no test {test}");
        }
    }
}

#[test]
fn a_test_that_is_none_is_found() {
    assert!(is_there("docs::security::a_test_that_is_none_is_found"));
    for none in ["docs::security::named", "docs::security::missing", "nowhere::missing", "missing"] {
        assert!(!is_there(none), "{none}");
    }
    assert_eq!(named("`a::b`, `c`"), ["a::b", "c"]);
}

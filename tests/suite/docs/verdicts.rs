//! The page of verdicts names metrics, lines of the log, close codes, fields and limits: each of them exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use parlor::model::limits::Limits;

use super::blocks::{Page, first_cells, page};
use crate::harness::root;

const PAGE: &str = "docs/operators/verdicts.md";

/// The cells of each row of a section's table, without its heading.
fn rows<'a>(page: &'a Page, heading: &str) -> Vec<Vec<&'a str>> {
    let lines = page.text.split_once(&format!("{heading}\n")).expect("the heading").1.lines();
    let table = lines.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |line: &'a str| line.trim_matches('|').split('|').map(str::trim).collect();
    table.skip(2).map(cells).collect()
}

/// What stands in backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// A name without its link.
fn bare(cell: &str) -> String {
    let (before, rest) = cell.split_once('[').unwrap_or((cell, ""));
    let (linked, after) = rest.split_once(']').unwrap_or((rest, ""));
    let after = after.split_once(')').map_or(after, |(_, after)| after);
    format!("{before}{linked}{after}")
}

/// All of the host's source as one text.
fn source() -> String {
    fn read(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).expect("the host's source") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                read(&path, text);
            } else {
                text.push_str(&fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    let mut text = String::new();
    read(&root().join("host/src"), &mut text);
    text
}

#[test]
fn each_verdict_is_told_somewhere_and_whatever_is_named_exists() {
    let (here, source) = (page(PAGE), source());
    let metrics: BTreeSet<String> =
        first_cells(page("docs/operators/observe.md").section("## Metrics")).into_iter().collect();
    let mut keys: BTreeSet<String> = first_cells(&page("docs/operators/configuration.md").text).into_iter().collect();
    keys.extend(Limits::default().all().into_iter().map(|limit| limit.key.to_owned()));
    let (codes, api) = (page("docs/clients/close-codes.md"), page("docs/platforms/api.md"));
    let mut unknown = Vec::new();
    let told = rows(&here, "## Where it is told");
    for row in &told {
        let [verdict, of_metrics, of_log, of_clients, of_api, of_limits] = row[..] else {
            panic!("a row has six cells: {row:?}")
        };
        assert!(row[1..5].iter().any(|cell| !cell.is_empty()), "{verdict} is told nowhere");
        unknown.extend(quoted(of_metrics).filter(|name| !metrics.contains(*name)).map(str::to_owned));
        unknown.extend(quoted(of_log).filter(|words| !source.contains(*words)).map(str::to_owned));
        unknown.extend(quoted(of_limits).filter(|key| !keys.contains(*key)).map(str::to_owned));
        unknown.extend(quoted(of_api).filter(|key| !api.text.contains(&format!("\"{key}\""))).map(str::to_owned));
        let closes = of_clients.split(", ").filter(|code| code.len() == 4);
        unknown.extend(closes.filter(|code| !codes.text.contains(&format!("\n| {code} |"))).map(str::to_owned));
    }
    assert!(unknown.is_empty(), "{PAGE} names what there is not: {unknown:?}");
    let named: Vec<String> = rows(&here, "# Verdicts").iter().map(|row| bare(row[0])).collect();
    let told: Vec<String> = told.iter().map(|row| row[0].to_owned()).collect();
    assert!(named.len() > 10, "{named:?}");
    assert_eq!(named, told, "both tables of {PAGE} have the same verdicts");
}

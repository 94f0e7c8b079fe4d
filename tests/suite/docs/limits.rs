//! The table of all limits in the documentation, made from the code.

use parlor::model::limits::{Limit, Limits};

use super::blocks::{Page, page};
use crate::harness::root;

const PAGE: &str = "docs/operators/configuration.md";
const BEGIN: &str = "<!-- generated: limits -->\n";
const END: &str = "<!-- end of what is generated -->\n";
/// Set to write the table anew instead of comparing it.
const WRITE: &str = "PARLOR_WRITE_DOCS";

/// A value as people read it; its unit is the end of its key.
fn readable(Limit { key, value, .. }: &Limit) -> Option<String> {
    let is_bytes = key.contains("bytes");
    let units: &[(u64, &str)] = match key {
        _ if is_bytes => &[(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")],
        _ if key.ends_with("-ms") => &[(60_000, "min"), (1_000, "s")],
        _ => &[],
    };
    let (size, unit) = units.iter().find(|(size, _)| value >= size && value % size == 0)?;
    Some(format!("{} {unit}", value / size))
}

fn table() -> String {
    let mut table = "| key | default | least | scope | what it bounds |\n|---|---|---|---|---|\n".to_owned();
    for limit in Limits::default().all() {
        let Limit { key, scope, least, value, why } = limit;
        let value = readable(&limit).map_or_else(|| value.to_string(), |words| format!("{value} ({words})"));
        let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
        table.push_str(&format!("| `{key}` | {value} | {least} | {} | {why} |\n", scope.as_str()));
    }
    table
}

/// The page with this table in its place.
fn with_table(page: &Page, table: &str) -> String {
    let (before, rest) = page.text.split_once(BEGIN).expect("the page says where the table begins");
    let (_, after) = rest.split_once(END).expect("the page says where the table ends");
    format!("{before}{BEGIN}\n{table}\n{END}{after}")
}

#[test]
fn the_table_of_limits_is_that_of_the_code() {
    let page = page(PAGE);
    let wanted = with_table(&page, &table());
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(root().join(PAGE), &wanted).expect("the page can be written");
        return;
    }
    assert!(
        page.text == wanted,
        "the limits in {PAGE} are not those of the code. Write them anew:\n\n    \
         {WRITE}=1 cargo test --release -p parlor --test suite -- docs::limits\n"
    );
}

#[test]
fn a_stale_table_is_found() {
    let page = Page { path: PAGE.to_owned(), text: format!("a\n{BEGIN}\n| `gone` |\n\n{END}b\n") };
    let wanted = with_table(&page, "| `new` |\n");
    assert_eq!(wanted, format!("a\n{BEGIN}\n| `new` |\n\n{END}b\n"));
    assert_ne!(page.text, wanted);
    assert!(table().contains("| `frame-bytes` | 65536 (64 KiB) | 1 | plugin | "));
}

//! The TOML of the pages: the real program reads it as its configuration.

use std::fs;

use super::blocks::{blocks_of, first_cells, page};
use crate::harness::TOKEN;
use crate::harness::command::{parlor, parlor_in};
use crate::harness::folder::Folder;

#[test]
fn every_block_of_toml_is_a_configuration() {
    let folder = Folder::new();
    let token = |name: &str| format!("{TOKEN}-of-{name}");
    // Secrets come from the environment first, so the files that a page names need not be there.
    let (operator, acme) = (token("the-operator"), token("acme"));
    let variables = [("PARLOR_OPERATOR_TOKEN", operator.as_ref()), ("PARLOR_TENANT_TOKEN_ACME", acme.as_ref())];
    let blocks = blocks_of("toml");
    assert!(blocks.len() >= 8, "only {} blocks", blocks.len());
    for block in blocks {
        if block.marker.as_deref() == Some("manifest") {
            toml::from_str::<toml::Table>(&block.text).unwrap_or_else(|why| panic!("{}: {why}", block.place()));
            continue;
        }
        fs::write(folder.path().join("page.toml"), &block.text).expect("a file");
        let said = parlor_in(folder.path(), &["limits", "acme", "--config", "page.toml"], &variables);
        assert!(said.success, "{}: {}", block.place(), said.err);
    }
}

/// The keys that the program takes in a table of the configuration, in its own words.
fn keys_taken(table: &str) -> Vec<String> {
    let folder = Folder::new();
    fs::write(folder.path().join("bad.toml"), format!("{table}\nno-such-key = 1\n")).expect("a file");
    let said = parlor(folder.path(), &["limits", "--config", "bad.toml"]);
    let (_, list) = said
        .err
        .split_once("there is no key `no-such-key` here, but ")
        .unwrap_or_else(|| panic!("{table}: {}", said.err));
    let mut keys: Vec<String> = list.trim().split(", ").map(str::to_owned).collect();
    keys.sort();
    keys
}

#[test]
fn the_page_of_the_configuration_has_every_key_and_no_other() {
    let page = page("docs/operators/configuration.md");
    for (heading, table) in [
        ("## The server", ""),
        ("## Traces", "[traces]"),
        ("## A tenant", "[tenants.acme]"),
        ("## A plugin", "[tenants.acme.plugins.chat]"),
    ] {
        let mut told = first_cells(page.section(heading));
        told.sort();
        assert_eq!(told, keys_taken(table), "{heading} of {}", page.path);
    }
}

#[test]
fn the_page_of_the_configuration_has_every_variable_of_the_environment() {
    let page = page("docs/operators/configuration.md");
    let folder = Folder::new();
    for command in [&["serve"][..], &["dev"], &["limits"], &["room"], &["plugins"], &["rollback"], &["data", "check"]] {
        let said = parlor(folder.path(), &[command, &["--help"]].concat());
        assert!(said.success, "{command:?}: {}", said.err);
        for variable in said.out.split("[env: ").skip(1) {
            let name = variable.split(['=', ']']).next().unwrap_or_default();
            assert!(page.text.contains(&format!("`{name}`")), "{} does not tell of {name}", page.path);
        }
    }
}

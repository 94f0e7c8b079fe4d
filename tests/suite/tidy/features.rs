//! What the server rests on is compiled once: with the same features for the server alone as for the tests of the whole
//! workspace. A feature that only a test's crate asks for has wasmtime, and what rests on it, compiled a second time for whoever
//! runs the tests and then the server.

use std::collections::BTreeSet;
use std::process::Command;

use super::{assert_tidy, root};

/// What may differ: the load program's native server takes WebSockets by axum's own, which rest on another tungstenite.
const TWICE: [&str; 1] = ["axum"];

/// The packages with their features, a line for each pair, as Cargo resolves them.
fn packages(of: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tree = Command::new(cargo);
    tree.current_dir(root()).args(["tree", "--locked", "--offline", "--prefix", "none", "--format", "{p} [{f}]"]);
    let output = tree.args(of).output().expect("cargo runs");
    assert!(output.status.success(), "{tree:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("names are UTF-8")
}

/// The lines without the mark of what stands in full elsewhere, and without the repository's own packages.
fn dependencies(tree: &str) -> BTreeSet<&str> {
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)"));
    lines.filter(|line| !line.is_empty() && !line.contains(" (/")).collect()
}

fn check(server: &str, workspace: &str) -> Vec<String> {
    let (server, workspace) = (dependencies(server), dependencies(workspace));
    let alone =
        server.difference(&workspace).filter(|line| !TWICE.iter().any(|name| line.starts_with(&format!("{name} "))));
    let complain = |line: &&str| {
        let package = line.split('[').next().unwrap_or_default();
        let others: Vec<&str> = workspace.iter().filter_map(|other| other.strip_prefix(package)).collect();
        format!(
            "{line} is compiled a second time: all of the workspace has {}. Ask for the same in host/Cargo.toml",
            others.join(" and ")
        )
    };
    alone.map(complain).collect()
}

#[test]
fn the_server_rests_on_what_the_tests_rest_on() {
    // Once without what runs while compiling, which may have features of its own, and then with it.
    for (server, workspace) in
        [("normal,no-proc-macro", "normal,dev,no-proc-macro"), ("normal,build", "normal,build,dev")]
    {
        let server = packages(&["--package", "parlor", "--edges", server]);
        assert!(server.contains("wasmtime v"), "the server rests on wasmtime: {server}");
        assert_tidy(&check(&server, &packages(&["--workspace", "--edges", workspace])));
    }
}

#[test]
fn a_feature_that_only_a_test_asks_for_is_seen() {
    let server = "parlor v1.0.0 (/here/host) []\nfnv v1.0.7 []\nslab v0.4.12 [std]\naxum v0.8.9 [json]\nslab v0.4.12 [std] (*)\n";
    let workspace =
        "load v1.0.0 (/here/load) []\nfnv v1.0.7 [default,std]\nslab v0.4.12 [std]\naxum v0.8.9 [json,ws]\n";
    let [complaint] = &check(server, workspace)[..] else { panic!("one complaint: {:?}", check(server, workspace)) };
    assert!(
        complaint.starts_with("fnv v1.0.7 [] is compiled a second time: all of the workspace has [default,std]."),
        "{complaint}"
    );
    assert!(check(server, server).is_empty());
}

//! Options that come from environment variables: the command line wins over them, they win over the file, and what is wrong
//! with one is said by its name.

use std::fs;
use std::path::Path;

use crate::harness::command::{parlor, parlor_in};
use crate::harness::guests::saying;
use crate::harness::{Server, json};

/// A folder with a configuration of this listen address and this bound.
fn folder_with(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("elsewhere.toml"), config).expect("a file");
    folder
}

#[tokio::test]
async fn a_server_is_set_up_by_variables_alone() {
    let server = Server::builder()
        .file("bare.wasm", saying("one"))
        // The file says something else, and the variables win.
        .config("listen = \"192.0.2.1:1\"\nplugins = \"nowhere\"\ndata = \"elsewhere\"")
        .by_variables()
        .start();
    let mut client = server.join("/bare").await;
    client.send("say", json!({})).await;
    assert_eq!(client.event().await["type"], "one");
    assert!(server.folder().join("data").is_dir() && !server.folder().join("elsewhere").exists());
}

#[test]
fn every_command_reads_the_configuration_that_the_variable_names() {
    let folder = folder_with("[limits]\nframe-bytes = 4711");
    let file = Path::new("elsewhere.toml");
    let said = parlor_in(folder.path(), &["limits", "--json"], &[("PARLOR_CONFIG", file)]);
    assert!(said.success && said.out.contains("4711"), "{said:?}");
    fs::write(folder.path().join("other.toml"), "[limits]\nframe-bytes = 1174").expect("a file");
    let both = parlor_in(folder.path(), &["limits", "--json", "--config", "other.toml"], &[("PARLOR_CONFIG", file)]);
    assert!(both.success && both.out.contains("1174") && !both.out.contains("4711"), "{both:?}");
    let said = parlor_in(folder.path(), &["data", "stats", "acme"], &[("PARLOR_DATA", Path::new("moved"))]);
    assert!(!said.success && said.err.contains("moved/tenants"), "{said:?}");
}

#[test]
fn what_is_wrong_with_a_variable_is_said_by_its_name() {
    let folder = folder_with("");
    for value in ["nowhere", "127.0.0.1:65536", "unix:", "http://localhost:7070"] {
        let said = parlor_in(folder.path(), &["serve"], &[("PARLOR_LISTEN", Path::new(value))]);
        for words in ["PARLOR_LISTEN", value, "a port from 0 to 65535"] {
            assert!(!said.success && said.err.contains(words), "{words}: {said:?}");
        }
        let said = parlor_in(folder.path(), &["serve", "--listen", value], &[("PARLOR_LISTEN", Path::new("[::1]:0"))]);
        assert!(!said.success && said.err.contains("--listen") && !said.err.contains("PARLOR_LISTEN,"), "{said:?}");
    }
    let said = parlor_in(folder.path(), &["limits"], &[("PARLOR_CONFIG", Path::new(""))]);
    assert!(!said.success && said.err.contains("PARLOR_CONFIG"), "{said:?}");
    let said = parlor_in(folder.path(), &["limits"], &[("PARLOR_LOG", Path::new("info,parlor=loud"))]);
    assert!(!said.success && said.err.contains("PARLOR_LOG") && said.err.contains("debug"), "{said:?}");
}

#[test]
fn the_help_of_a_command_names_its_variables() {
    let folder = folder_with("");
    for (command, variables) in [
        (&["serve"][..], &["PARLOR_CONFIG", "PARLOR_PLUGINS", "PARLOR_DATA", "PARLOR_LISTEN"][..]),
        (&["dev"], &["PARLOR_CONFIG", "PARLOR_OUT", "PARLOR_DATA", "PARLOR_LISTEN"]),
        (&["build"], &["PARLOR_OUT"]),
        (&["check"], &["PARLOR_CONFIG"]),
        (&["room"], &["PARLOR_CONFIG", "PARLOR_CACHE"]),
        (&["limits"], &["PARLOR_CONFIG"]),
        (&["plugins"], &["PARLOR_SERVER", "PARLOR_TOKEN_FILE", "PARLOR_CA_FILE"]),
        (&["rollback"], &["PARLOR_SERVER", "PARLOR_TOKEN_FILE", "PARLOR_CA_FILE"]),
        (&["data", "stats"], &["PARLOR_CONFIG", "PARLOR_DATA"]),
        (&[], &["PARLOR_OPERATOR_TOKEN", "PARLOR_TENANT_TOKEN_", "PARLOR_LOG", "PARLOR_LOG_FORMAT"]),
    ] {
        let said = parlor(folder.path(), &[command, &["--help"]].concat());
        for variable in variables {
            assert!(said.success && said.out.contains(variable), "{command:?}, {variable}: {said:?}");
        }
    }
}

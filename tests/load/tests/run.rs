//! The program as a whole, against its own base line.

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor-load"));
    command.args(["run", "--rounds", "1", "--seconds", "0.2", "--warm-up", "0.1", "--attempts", "1"]).args(arguments);
    command.output().expect("the program starts")
}

#[test]
fn every_form_of_the_base_line_answers_rightly() {
    let output = run(&[
        "--baseline=axum=--runtime multi",
        "--baseline=raw=--runtime single --sockets raw --io-events 16",
        "--baseline=sharded=--runtime sharded --threads 2",
        "--scenario=depth1",
        "--scenario=depth16",
        "--scenario=fanout100",
        "--scenario=rooms1000",
    ]);
    let (table, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{errors}");
    for server in ["axum", "raw", "sharded"] {
        let lines = table.lines().filter(|line| line.split_whitespace().nth(1) == Some(server));
        assert_eq!(lines.count(), 4, "{table}");
    }
}

#[test]
fn a_server_that_does_not_serve_ends_the_run() {
    let output = run(&["--parlor=/bin/false", "--plugins=.", "--scenario=depth1"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("parlor ended before it said where it listens"), "{errors}");
}

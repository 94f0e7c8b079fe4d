//! The program as a whole, against its own base line.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor-load"));
    command.args(["run", "--rounds", "1", "--seconds", "0.2", "--warm-up", "0.1", "--attempts", "1"]).args(arguments);
    command.output().expect("the program starts")
}

/// The run went well, and its table has so many lines of this server.
#[track_caller]
fn assert_lines(output: &Output, server: &str, count: usize) {
    let (table, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{errors}");
    let lines = table.lines().filter(|line| line.split_whitespace().nth(1) == Some(server));
    assert_eq!(lines.count(), count, "{table}");
}

#[test]
fn every_form_of_the_base_line_answers_rightly() {
    let output = run(&[
        "--baseline=axum=--runtime multi",
        "--baseline=raw=--runtime single --sockets raw --io-events 16",
        "--baseline=sharded=--runtime sharded --threads 2",
        "--scenario=depth1",
        "--scenario=depth16",
        "--scenario=recall",
        "--scenario=fanout100",
        "--scenario=rooms1000",
    ]);
    for server in ["axum", "raw", "sharded"] {
        assert_lines(&output, server, 5);
    }
}

#[test]
fn socket_io_answers_rightly() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("socketio");
    let installed = Command::new("npm").arg("ci").current_dir(&folder).stdout(Stdio::null()).status();
    assert!(installed.is_ok_and(|status| status.success()), "this test needs Node 20 or newer with npm");
    let folder = format!("--socketio={}", folder.display());
    let output = run(&[
        &folder,
        "--reference=socket.io",
        "--scenario=single",
        "--scenario=depth16",
        "--scenario=recall",
        "--scenario=fanout10",
        "--scenario=rooms1000",
    ]);
    assert_lines(&output, "socket.io", 5);
}

#[test]
fn socketioxide_answers_rightly() {
    let output = run(&[
        "--socketioxide",
        "--scenario=depth16",
        "--scenario=recall",
        "--scenario=fanout100",
        "--scenario=rooms1000",
    ]);
    assert_lines(&output, "socketioxide", 4);
}

#[test]
fn a_server_that_does_not_serve_ends_the_run() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join("bench-room.wasm"), "").expect("the folder of tests can be written");
    let lists_limits = folder.join("lists-limits");
    std::fs::write(&lists_limits, "#!/bin/sh\n[ \"$1\" = limits ] && printf 'LIMIT\\nframe-bytes\\n'\n")
        .and_then(|()| std::fs::set_permissions(&lists_limits, Permissions::from_mode(0o755)))
        .expect("the folder of tests can be written");
    let guest = format!("--guest=parlor={}", folder.display());
    for (program, told) in [
        ("/bin/false".into(), "/bin/false limits failed"),
        (lists_limits.display().to_string(), "parlor ended before it said where it listens"),
    ] {
        let output = run(&[&format!("--parlor={program}"), &guest, "--scenario=depth1"]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(errors.contains(told), "{errors}");
    }
}

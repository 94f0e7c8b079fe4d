//! `parlor room`: what it says to lines that are no steps, when it ends, and that the same steps have the same answers.
//! `conformance::lines` runs the cases in it, and `docs::harness` its page.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::harness::room::{HarnessRoom, room};
use crate::harness::{Value, guest, json};

/// A file of a component, in a folder that is there as long as this is.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(name);
    std::fs::write(&file, bytes).expect("a file");
    (folder, file)
}

/// What the program says to this input, to its end.
fn said(mut room: Command, input: &[u8]) -> (Output, Vec<Value>) {
    room.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = room.spawn().expect("the program runs");
    // It may end before it has read all.
    let _ = child.stdin.take().expect("its input").write_all(input);
    let output = child.wait_with_output().expect("its end");
    let lines = std::str::from_utf8(&output.stdout).expect("text").lines();
    let answers = lines.map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect();
    (output, answers)
}

fn conformance() -> (tempfile::TempDir, PathBuf) {
    file("conformance.wasm", &guest("conformance_first"))
}

fn run(operations: Value) -> Value {
    json!({ "do": { "from": "ada", "ops": operations, "did": "<any>" } })
}

#[test]
fn a_line_that_is_no_step_has_an_answer_that_says_why_and_the_next_one_is_read() {
    let (_folder, file) = conformance();
    let lines: [(&[u8], Option<&str>, &str); 17] = [
        (b"nonsense", None, "this is no JSON: expected ident at line 1 column 2"),
        (b"{\"advance\": 1", None, "this is no JSON: EOF while parsing an object"),
        (b"\xff\xfe", None, "this is no UTF-8"),
        (b"[1]", None, "a step is an object with one member, its verb, or the verb alone as a text"),
        (b"{}", None, "its verb; this has 0"),
        (b"{\"advance\": 1, \"send\": {}}", None, "its verb; this has 2"),
        (b"{\"jump\": 1}", Some("jump"), "there is no verb \"jump\"; there are open, connect, "),
        (b"\"jump\"", Some("jump"), "there is no verb \"jump\""),
        (b"\"send\"", Some("send"), "it needs something to do it with"),
        (b"{\"sleep\": 1}", Some("sleep"), "it stands alone"),
        (b"{\"send\": {\"frame\": {}}}", Some("send"), "missing field `from`"),
        (b"{\"send\": {\"from\": \"ada\"}}", Some("send"), "it needs \"frame\" or \"text\""),
        (b"{\"send\": {\"from\": \"eve\", \"text\": \"\"}}", Some("send"), "there is no socket \"eve\""),
        (b"{\"connect\": {\"as\": \"ada\", \"paht\": \"/\"}}", Some("connect"), "unknown field `paht`"),
        (b"{\"connect\": {}}", Some("connect"), "it needs \"as\""),
        (b"{\"advance\": 40000000000}", Some("advance"), "at most 31622400000 ms may pass at once"),
        (b"{\"open\": {\"room\": \"a b\"}}", Some("open"), "a room's id is 1 to 128 of"),
    ];
    let mut input: Vec<u8> = lines.iter().flat_map(|(line, ..)| [line, &b"\n\n"[..]].concat()).collect();
    input.extend_from_slice(b"{\"connect\": {\"as\": \"ada\"}}\n\"quit\"\nnobody reads this");
    let (output, answers) = said(room(&file), &input);
    for ((number, (line, verb, words)), answer) in lines.iter().enumerate().zip(&answers) {
        let error = answer["error"].as_str().unwrap_or_default();
        let is_named = answer["step"] == number + 1 && answer.get("verb").and_then(Value::as_str) == *verb;
        assert!(is_named && error.contains(words), "{}: {answer}", line.escape_ascii());
    }
    let [connected, quit] = &answers[lines.len()..] else { panic!("{answers:?}") };
    assert_eq!((&connected["ok"], &quit["verb"]), (&Value::Null, &json!("quit")));
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*err), (Some(1), "parlor: 17 steps had an error\n"));
}

#[test]
fn where_nothing_can_go_on_both_streams_say_why_and_the_status_is_not_0() {
    let (_folder, text) = file("text.wasm", b"no component");
    let (_other, good) = conformance();
    let (_misnamed, capital) = file("Odd Name.wasm", &guest("conformance_first"));
    let with = |file: &PathBuf, arguments: &[&str]| {
        let mut room = room(file);
        room.args(arguments);
        room
    };
    let long = vec![b' '; (16 << 20) + 1];
    for (room, input, words) in [
        (with(&text, &[]), &b""[..], "text.wasm: is no WebAssembly component"),
        (with(&text.with_file_name("none.wasm"), &[]), b"", "none.wasm: cannot be read"),
        (with(&capital, &[]), b"", "\"Odd Name\", which --plugin can change"),
        (with(&good, &["--tenant", "A"]), b"", "--tenant"),
        (with(&good, &["--config", "nowhere.toml"]), b"", "nowhere.toml"),
        (with(&good, &[]), &long, "step 1 is a line of more than 16777216 bytes"),
    ] {
        let (output, answers) = said(room, input);
        let [answer] = &answers[..] else { panic!("{answers:?}") };
        assert!(answer["step"] == 0 && answer["error"].as_str().is_some_and(|why| why.contains(words)), "{answer}");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(err.starts_with("parlor: ") && err.contains(words) && err.trim_end().lines().count() == 1, "{err}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn the_same_seed_and_steps_have_the_same_answers_byte_by_byte() {
    let (_folder, first) = conformance();
    let (_other, second) = file("second.wasm", &guest("conformance_second"));
    let steps = [
        json!({ "connect": { "as": "ada" } }),
        json!({ "connect": { "as": "bob", "query": { "how": "none" } } }),
        run(json!([["random"], ["now"], ["meta"], ["users"], ["put", "k", [1, 2]], ["timer", "a", 5, [["random"]]]])),
        json!({ "advance": 5 }),
        json!("sleep"),
        run(json!([["random"], ["repeat", 100, ["emit-all", "many", { "n": 1 }]]])),
        json!("crash"),
        json!({ "send": { "from": "ada", "frame": { "type": "hang" } } }),
        json!("swap"),
        run(json!([["life"], ["random"]])),
        json!("frames"),
        json!("failures"),
        json!("log"),
        json!("room"),
        json!("restart"),
        json!({ "connect": { "as": "ada" } }),
        run(json!([["random"], ["get", "k"]])),
        json!("stored"),
    ];
    let input: String = steps.iter().map(|step| format!("{step}\n")).collect();
    let answers = |seed: &str| {
        let mut room = room(&first);
        room.arg("--second").arg(&second).args(["--seed", seed, "--plugin", "conformance"]);
        let (output, answers) = said(room, input.as_bytes());
        assert_eq!(answers.len(), steps.len());
        assert!(output.status.success(), "{answers:#?}");
        output.stdout
    };
    let one = answers("7");
    assert_eq!(String::from_utf8_lossy(&one), String::from_utf8_lossy(&answers("7")));
    assert!(one != answers("8"), "another seed, and the same randomness");
}

#[test]
fn the_clock_stands_still_until_a_step_says_how_much_time_passes() {
    let (_folder, file) = conformance();
    let mut room = HarnessRoom::start(room(&file));
    let day = 86_400_000;
    let mut step = |step: Value| room.step(&step).unwrap_or_else(|why| panic!("{step}: {why}"));
    step(json!({ "open": { "now": 1_000, "room": "clock" } }));
    step(json!({ "connect": { "as": "ada" } }));
    step(run(json!([["put", "on-alarm", [["emit-all", "rang", ["now"]]]], ["alarm-in", day]])));
    (0..50).for_each(|_| assert_eq!(step(run(json!([["now"]]))), json!([1_000])));
    assert_eq!(step(json!("room"))["alarm"], day + 1_000);
    assert_eq!(step(json!({ "advance": day - 1 })), json!({ "now": day + 999 }));
    assert_eq!(step(json!({ "frames": "ada" })), json!([]));
    step(json!({ "advance": 1 }));
    step(json!({ "expect": { "ada": [{ "type": "rang", "data": "<any>" }] } }));
    let room = step(json!("room"));
    assert_eq!((&room["now"], &room["alarm"], &room["sockets"]), (&json!(day + 1_000), &Value::Null, &json!(1)));
}

#[test]
fn open_begins_anew_with_another_configuration_and_nothing_of_before() {
    let (_folder, file) = conformance();
    let mut room = room(&file);
    room.args(["--set", "greeting=hello", "--set", "name=a=b"]);
    let mut room = HarnessRoom::start(room);
    let mut step = |step: Value| room.step(&step);
    let look = run(json!([["config", "greeting"], ["config", "name"], ["room"], ["random"]]));
    step(json!({ "connect": { "as": "ada" } })).expect("a socket");
    let before = step(look.clone()).expect("results");
    assert_eq!(before.as_array().map(|all| &all[..3]), Some(&[json!("hello"), json!("a=b"), json!("room")][..]));
    step(run(json!([["put", "k", 1], ["log", "info", "here"], ["throw", "there"]]))).expect_err("it fails");
    let opened = step(json!({ "open": { "room": "other", "config": { "greeting": "ahoy" } } })).expect("a room");
    assert_eq!((&opened["room"], &opened["path"]), (&json!("other"), &json!("/conformance")));
    for (verb, nothing) in [("frames", json!({})), ("failures", json!([])), ("log", json!([])), ("stored", json!({}))] {
        assert_eq!(step(json!(verb)), Ok(nothing), "{verb}");
    }
    step(json!({ "connect": { "as": "ada" } })).expect("a socket");
    let after = step(look).expect("results");
    assert_eq!(after.as_array().map(|all| &all[..3]), Some(&[json!("ahoy"), json!("a=b"), json!("other")][..]));
    assert_eq!(after[3], before[3], "the seed begins anew as well");
}

#[test]
fn a_socket_comes_in_as_somebody_past_authorize_or_is_refused_and_leaves() {
    let (_folder, file) = conformance();
    let mut room = HarnessRoom::start(room(&file));
    let mut step = |step: Value| room.step(&step);
    let meta = json!({ "user": "u", "channels": ["x"], "fields": { "n": 1 } });
    step(json!({ "connect": { "as": "ada", "meta": meta } })).expect("a socket");
    let meta = json!([{ "user": "u", "client": "ada", "channels": ["x"], "fields": { "n": 1 } }]);
    assert_eq!(step(run(json!([["meta"]]))), Ok(meta));
    let refused =
        step(json!({ "connect": { "as": "eve", "query": { "how": "reject", "status": 403, "words": "go" } } }));
    assert_eq!(refused, Err("refused with 403 go".to_owned()));
    let refused = json!({ "refused": { "query": { "how": "reject", "status": 403, "words": "go" }, "status": 401 } });
    let wrong = step(refused).expect_err("another status");
    assert!(wrong.contains("expected [401,") && wrong.contains("found [403,"), "{wrong}");
    step(json!({ "leave": { "who": "ada" } })).expect("an end");
    assert_eq!(step(json!({ "closed": "ada" })), Ok(json!({ "code": 1000, "reason": "" })));
}

#[test]
fn a_step_is_answered_when_all_that_follows_has_reached_every_socket() {
    let (_folder, file) = conformance();
    let mut room = HarnessRoom::start(room(&file));
    let mut step = |step: Value| room.step(&step).unwrap_or_else(|why| panic!("{step}: {why}"));
    let sockets = 40;
    for name in (0..sockets).map(|number| if number == 0 { "ada".to_owned() } else { format!("s{number}") }) {
        step(json!({ "connect": { "as": name } }));
    }
    let emits = 400;
    let many = json!([["repeat", emits, ["emit-all", "many", { "text": "x".repeat(200) }]]]);
    step(run(json!([["timer", "a", 1, many]])));
    step(json!({ "advance": 1 }));
    let frames = step(json!("frames"));
    let frames = frames.as_object().expect("sockets").values().map(|frames| frames.as_array().map(Vec::len));
    assert_eq!(frames.collect::<Vec<_>>(), vec![Some(emits); sockets]);
}

#[test]
fn a_version_that_a_room_went_back_from_is_served_no_more() {
    let (_folder, first) = conformance();
    let (_other, second) = file("second.wasm", &guest("conformance_second"));
    let mut command = room(&first);
    command.arg("--second").arg(&second);
    let mut room = HarnessRoom::start(command);
    let does = |operations: Value, did: Value| json!({ "do": { "from": "ada", "ops": operations, "did": did } });
    for step in [
        json!({ "connect": { "as": "ada" } }),
        does(json!([["suspend-as", "odd/1"]]), json!([null])),
        json!({ "swap-fails": "resume.schema" }),
        json!("restart"),
        json!({ "connect": { "as": "ada" } }),
        does(json!([["life"]]), json!([{ "version": 1, "restored": "<any>", "resumed": "<any>", "memory": null }])),
    ] {
        room.step(&step).unwrap_or_else(|why| panic!("{step}: {why}"));
    }
}

#[test]
fn large_whole_numbers_are_equal_only_where_they_are_the_same() {
    let (_folder, file) = conformance();
    let mut room = HarnessRoom::start(room(&file));
    let does = |expected: Value| json!({ "do": { "from": "ada", "ops": [["put", "id", 9_007_199_254_740_992_u64], ["get", "id"]], "did": [null, expected] } });
    room.step(&json!({ "connect": { "as": "ada" } })).expect("a socket");
    room.step(&does(json!(9_007_199_254_740_992.0))).expect("the same value");
    room.step(&does(json!(9_007_199_254_740_993_u64))).expect_err("another value");
}

//! Acknowledgements, asks and bytes: what a plugin's author can rely on.

use parlor_guest::{Args, Bytes, prelude::*, testing::TestRoom};

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// Asks whoever connects for its color, and says what came of it.
fn colors(room: &mut Room) {
    room.on("ask", |ctx, _: Value| ctx.ask("color", json!({}), TEN_SECONDS));
    room.on("ask-and-fail", |ctx, _: Value| {
        ctx.ask("color", json!({}), TEN_SECONDS)?;
        Err::<(), _>(Error::msg("on purpose"))
    });
    room.on_ack("color", |ctx, color: Ack<String>| {
        ctx.actor().emit("color", json!({ "of": ctx.meta().user_id, "is": format!("{color:?}") }))
    });
}

#[test]
fn an_acknowledgement_comes_behind_what_the_turn_said_and_before_its_closes() {
    let room = TestRoom::new(|room| {
        room.on("leave", |ctx, _: Value| {
            ctx.emit("leaving", json!({}))?;
            ctx.close(1000, "")?;
            answer(&"bye")
        });
        room.on_disconnect(|ctx, _| ctx.actor().emit("left", json!({})));
    });
    let (ada, bob) = (room.connect("/ws"), room.connect("/ws"));
    ada.send_frame(json!({ "type": "leave", "id": 3 }));
    assert_eq!(
        ada.received(),
        [
            json!({ "type": "event", "channel": "default", "data": { "type": "leaving" } }),
            json!({ "type": "ack", "id": 3, "data": "bye" })
        ]
    );
    assert_eq!(bob.events(), [json!({ "type": "left" })]);
}

#[test]
fn a_failure_is_told_by_its_acknowledgement_alone() {
    let room = TestRoom::new(|room| {
        room.on("refuse", |_, _: Value| reject("refused", "not today"));
        room.on("fail", |_, _: Value| Error::new("inside", "a secret"));
        room.on("large", |_, bytes: usize| answer(&"x".repeat(bytes)));
        room.on("quiet", |_, _: Value| {});
    });
    let ada = room.connect("/ws");
    let told = |event: &str, data: Value| {
        let failed = ada.request(event, data).unwrap_err();
        (failed.code, failed.message)
    };
    assert_eq!(told("refuse", json!({})), ("refused".to_owned(), "not today".to_owned()));
    assert_eq!(told("fail", json!({})), ("inside".to_owned(), String::new()));
    assert_eq!(told("unknown", json!({})), ("no-handler".to_owned(), String::new()));
    assert_eq!(told("large", json!(262_143)).0, "limit-exceeded");
    assert!(ada.received().is_empty());
    assert_eq!(ada.request("quiet", json!({})), Ok(None));
    assert_eq!(room.failures().len(), 2);
}

#[test]
fn an_ask_ends_once() {
    let room = TestRoom::new(colors);
    let (ada, bob) = (room.connect_as(Meta::new("ada")), room.connect_as(Meta::new("bob")));
    let seen =
        || -> Vec<String> { bob.events().iter().map(|event| format!("{} {}", event["of"], event["is"])).collect() };
    ada.send("ask", json!({}));
    let ask = ada.received().remove(0);
    assert_eq!(ask["data"]["type"], "color");
    let answer = json!({ "type": "ack", "id": ask["id"], "data": "red" });
    // Nobody answers for another.
    bob.send_frame(answer.clone());
    assert_eq!(seen(), [""; 0]);
    ada.send_frame(answer.clone());
    ada.send_frame(answer);
    room.advance(TEN_SECONDS);
    assert_eq!(seen(), [r#""ada" "Answered(\"red\")""#]);

    ada.send("ask", json!({}));
    room.advance(Duration::from_millis(9_999));
    assert_eq!(seen(), [""; 0]);
    room.advance(Duration::from_millis(1));
    assert_eq!(seen(), [r#""ada" "Timeout""#]);

    ada.send("ask", json!({}));
    ada.disconnect(1000, "");
    room.advance(TEN_SECONDS);
    assert_eq!(seen(), [r#""ada" "Gone""#]);
}

#[test]
fn a_failed_turn_asks_nobody_and_a_restart_forgets() {
    let room = TestRoom::new(colors);
    let ada = room.connect("/ws");
    ada.send("ask-and-fail", json!({}));
    assert!(ada.received().is_empty());
    ada.send("ask", json!({}));
    room.restart();
    let bob = room.connect("/ws");
    room.advance(TEN_SECONDS);
    assert!(bob.received().is_empty());
}

#[test]
fn an_ask_survives_sleep_and_swap_and_wakes_the_room() {
    let room = TestRoom::new(colors);
    let ada = room.connect("/ws");
    ada.send("ask", json!({}));
    ada.send("ask", json!({}));
    ada.received();
    room.sleep();
    ada.answer(json!("red"));
    assert_eq!(ada.events()[0]["is"], "Answered(\"red\")");
    room.swap(colors).expect("a version that starts");
    room.advance(TEN_SECONDS);
    assert_eq!(ada.events()[0]["is"], "Timeout");
}

#[test]
fn an_answer_that_does_not_fit_is_told_to_its_client() {
    let room = TestRoom::new(colors);
    let ada = room.connect("/ws");
    ada.send("ask", json!({}));
    ada.received();
    ada.answer(json!(7));
    assert_eq!(ada.events()[0]["code"], "bad-data");
    // A name that nobody handles leaves a warning.
    let room = TestRoom::new(|room| {
        room.on_connect(|ctx| ctx.ask("color", json!({}), TEN_SECONDS));
        room.on_ack("colour", |_, _: Ack<Value>| {});
    });
    room.connect("/ws").answer(json!(1));
    assert_eq!(room.log(), [r#"warn: nobody handles the answer to "color": add `room.on_ack`"#]);
}

#[test]
fn asks_have_bounds() {
    let room = TestRoom::new(|room| {
        room.on("ask", |ctx, ms: u64| ctx.ask("a", json!({}), Duration::from_millis(ms)));
        room.on("ask-other", |ctx, id: SocketId| ctx.socket(id).ask("a", json!({}), TEN_SECONDS));
    });
    let ada = room.connect("/ws");
    let code = || room.failures().last().map(|failed| (failed.code.clone(), failed.message.clone()));
    for bad in [0, 3_600_001] {
        ada.send("ask", json!(bad));
        assert_eq!(code().map(|(code, _)| code).as_deref(), Some("invalid"), "{bad}");
    }
    ada.send("ask-other", json!(99));
    assert_eq!(code().map(|(code, _)| code).as_deref(), Some("no-such-socket"));
    for _ in 0..65 {
        ada.send("ask", json!(1));
    }
    assert_eq!(code().map(|(_, words)| words).as_deref(), Some("the bound asks-per-socket would be passed"));
    assert_eq!(ada.received().len(), 64);
}

#[derive(Serialize, Deserialize)]
struct Picture {
    name: String,
    pixels: Bytes,
}

#[test]
fn bytes_come_and_go_wherever_they_stand() {
    let room = TestRoom::new(|room| {
        room.on("picture", |ctx, picture: Picture| {
            ctx.storage().put("picture", &picture)?;
            ctx.emit("picture", &picture)?;
            answer(&picture)
        });
        room.on("stored", |ctx, _: Value| ctx.emit("picture", ctx.storage().get::<Picture>("picture")?));
        room.on("raw", |_, bytes: Bytes| answer(&bytes));
        room.on("maybe", |_, bytes: Option<Bytes>| answer(&bytes.map(|bytes| bytes.len())));
        room.on("json", |ctx, data: Value| ctx.emit("json", data));
    });
    let ada = room.connect("/ws");
    let picture = json!({ "name": "dot", "pixels": { "base64": "AP8=" } });
    assert_eq!(ada.request("picture", picture.clone()), Ok(Some(picture)));
    ada.send("stored", json!({}));
    let shown = json!({ "type": "picture", "name": "dot", "pixels": { "base64": "AP8=" } });
    assert_eq!(ada.events(), [shown.clone(), shown]);
    assert_eq!(room.stored::<Picture>("picture").map(|picture| picture.pixels), Some(Bytes(vec![0, 255])));

    assert_eq!(ada.request("raw", json!({ "base64": "AP8=" })), Ok(Some(json!({ "base64": "AP8=" }))));
    assert_eq!(ada.request("maybe", json!(null)), Ok(Some(json!(null))));
    ada.send_frame(json!({ "type": "maybe", "base64": "AP8=", "id": 1 }));
    assert_eq!(ada.received(), [json!({ "type": "ack", "id": 1, "data": 2 })]);
    for bad in [json!({ "base64": "?" }), json!({ "_placeholder": true, "num": 0 }), json!([0, 255]), json!("AP8=")] {
        assert_eq!(ada.request("raw", bad.clone()).unwrap_err().code, "bad-data", "{bad}");
    }
    // A handler of JSON is not for bytes.
    ada.send_bytes("json", &[0]);
    assert_eq!(ada.events()[0]["message"], "these are bytes, and the handler reads JSON");
}

#[test]
fn answers_keep_their_bytes_whatever_is_emitted_meanwhile() {
    let room = TestRoom::new(|room| {
        room.on("both", |ctx, _: Value| {
            let answered = answer(&[Bytes(vec![1])])?;
            ctx.emit("other", [Bytes(vec![2]), Bytes(vec![3])])?;
            Ok(answered)
        });
        room.on("seventeen", |ctx, _: Value| ctx.emit("many", vec![Bytes(vec![1]); 17]));
    });
    let ada = room.connect("/ws");
    assert_eq!(ada.request("both", json!({})), Ok(Some(json!([{ "base64": "AQ==" }]))));
    assert_eq!(ada.events()[0]["data"], json!([{ "base64": "Ag==" }, { "base64": "Aw==" }]));
    ada.send("seventeen", json!({}));
    assert_eq!(ada.events()[0]["data"], json!(vec![json!({ "base64": "AQ==" }); 17]));
}

#[test]
fn several_arguments_are_the_whole_of_the_data() {
    let room = TestRoom::new(|room| {
        room.on("swap", |ctx, (a, b): (i32, i32)| ctx.emit("swapped", Args((b, a))));
        room.on("one", |ctx, _: Value| ctx.emit("one", Args(1)));
    });
    let ada = room.connect("/ws");
    ada.send_args("swap", &[json!(1), json!(2)]);
    assert_eq!(ada.events(), [json!({ "type": "swapped", "data": [2, 1] })]);
    ada.send("one", json!({}));
    assert_eq!(room.failures()[0].message, "several arguments must be a JSON array");
}

//! What a user of the tickets can rely on: above all that no seat is ever somebody's and somebody else's.

use parlor_guest::{
    Error, Value, json,
    testing::{TestRoom, TestSocket},
};
use std::{cell::Cell, collections::BTreeMap, rc::Rc, time::Duration};
use tickets::tickets;

const START: u64 = 1_000_000;

fn room() -> TestRoom {
    TestRoom::builder().time(START).build(tickets)
}

/// A socket whose greeting was heard.
fn connect(room: &TestRoom, user: &str) -> TestSocket {
    let socket = room.connect(format!("/ws/tickets?userId={user}").as_str());
    socket.received();
    socket
}

fn ask(socket: &TestSocket, event: &str, seat: &str) {
    socket.send(event, json!({ "seat": seat }));
}

/// The events of this name that a socket got.
fn only(socket: &TestSocket, name: &str) -> Vec<Value> {
    socket.events().into_iter().filter(|event| event["type"] == name).collect()
}

/// The code of the one rejection that a socket got since it was last asked.
fn code(socket: &TestSocket) -> String {
    let events = only(socket, "error");
    assert_eq!(events.len(), 1, "{events:?}");
    events[0]["code"].as_str().expect("a code").to_owned()
}

/// What a newcomer is told of the seats that are not free.
fn taken(room: &TestRoom) -> BTreeMap<String, Value> {
    let visitor = room.connect("/ws/tickets");
    let list = only(&visitor, "seats.list").remove(0);
    visitor.disconnect(1000, "");
    let seats = list["seats"].as_array().expect("seats").iter().filter(|seat| seat["state"] != "free");
    seats.map(|seat| (seat["seat"].as_str().expect("a name").to_owned(), seat.clone())).collect()
}

fn held(seat: &str, user: &str, until: u64, now: u64) -> Value {
    json!({ "type": "seat.changed", "seat": seat, "state": "held", "userId": user, "until": until, "now": now })
}

fn free(seat: &str, now: u64) -> Value {
    json!({ "type": "seat.changed", "seat": seat, "state": "free", "now": now })
}

#[test]
fn a_newcomer_is_told_of_the_hall_and_its_size_is_configured() {
    let room = TestRoom::builder().config("rows", "2").config("seats-per-row", "3").time(START).build(tickets);
    let ada = room.connect("/ws/tickets?userId=ada");
    let seats = ["A1", "A2", "A3", "B1", "B2", "B3"].map(|seat| json!({ "seat": seat, "state": "free", "now": START }));
    let told = [
        json!({ "type": "welcome", "userId": "ada", "holdSeconds": 120 }),
        json!({ "type": "seats.list", "seatsPerRow": 3, "seats": seats, "now": START }),
    ];
    assert_eq!(ada.events(), told);
    for (key, value) in [("rows", "13"), ("seats-per-row", "0"), ("hold-seconds", "soon")] {
        let refused = TestRoom::builder().config(key, value).try_build(tickets).unwrap_err();
        assert!(refused.starts_with(&format!("`{key}` must be")), "{refused}");
    }
}

#[test]
fn the_largest_hall_full_of_the_longest_names_fits_into_one_emit() {
    let builder = TestRoom::builder().config("rows", "12").config("seats-per-row", "16").config("hold-seconds", "3600");
    let room = builder.build(tickets);
    let seats = ('A'..='L').flat_map(|row| (1..=16).map(move |place| format!("{row}{place}")));
    for (number, seat) in seats.enumerate() {
        // A quote takes two bytes in JSON: no name that is let in takes more.
        let user = connect(&room, &format!("{}{:02}", "%22".repeat(62), number / 4));
        ask(&user, "seat.hold", &seat);
        assert_eq!(only(&user, "seat.changed").len(), 1, "{seat}");
    }
    assert_eq!(taken(&room).len(), 192);
    assert!(room.failures().is_empty());
}

#[test]
fn a_user_id_is_believed_unless_it_is_none() {
    let room = room();
    assert!(!room.connect("/ws/tickets").meta().user_id.is_empty());
    for id in ["", &"x".repeat(65), "a%0Ab"] {
        assert_eq!(room.try_connect(format!("/ws/tickets?userId={id}").as_str()).unwrap_err().status, 400, "{id:?}");
    }
}

#[test]
fn of_two_who_want_one_seat_exactly_one_gets_it() {
    let room = room();
    let (ada, bob) = (connect(&room, "ada"), connect(&room, "bob"));
    ask(&ada, "seat.hold", "A1");
    ask(&bob, "seat.hold", "A1");
    let change = held("A1", "ada", START + 120_000, START);
    assert_eq!(ada.events(), std::slice::from_ref(&change));
    let sorry = json!({ "type": "error", "code": "seat.taken", "message": "A1 is taken: somebody was faster" });
    assert_eq!(bob.events(), [change, sorry]);
    // Neither can what is held be bought or let go by another.
    for event in ["seat.buy", "seat.release"] {
        ask(&bob, event, "A1");
        assert_eq!(code(&bob), "seat.taken");
    }
    ask(&ada, "seat.buy", "A1");
    for event in ["seat.hold", "seat.buy", "seat.release"] {
        ask(&bob, event, "A1");
        assert_eq!(code(&bob), "seat.taken");
    }
    assert_eq!(taken(&room)["A1"]["userId"], "ada");
}

#[test]
fn a_buyer_is_told_on_all_devices_and_again_when_they_ask_again() {
    let room = room();
    let (phone, laptop, bob) = (connect(&room, "ada"), connect(&room, "ada"), connect(&room, "bob"));
    ask(&phone, "seat.hold", "B2");
    ask(&phone, "seat.buy", "B2");
    let bought = only(&phone, "seat.bought");
    assert_eq!(bought[0]["confirmation"].as_str().map(str::len), Some(32));
    assert_eq!(only(&laptop, "seat.bought"), bought);
    let events = bob.events();
    assert_eq!(
        events[1],
        json!({ "type": "seat.changed", "seat": "B2", "state": "sold", "userId": "ada", "now": START })
    );
    assert_eq!(events.len(), 2);
    ask(&phone, "seat.buy", "B2");
    assert_eq!(phone.events(), bought);
    assert!(bob.events().is_empty());
    ask(&phone, "seat.release", "B2");
    assert_eq!(code(&phone), "seat.sold");
    // The list says it to her alone.
    phone.send_empty("seats.list");
    bob.send_empty("seats.list");
    let confirmation = |socket: &TestSocket| only(socket, "seats.list")[0]["seats"][9]["confirmation"].clone();
    assert_eq!((confirmation(&phone), confirmation(&bob)), (bought[0]["confirmation"].clone(), Value::Null));
    assert_eq!((room.alarm(), room.timers().len()), (None, 0));
}

#[test]
fn what_is_not_possible_is_said() {
    let room = room();
    let ada = connect(&room, "ada");
    for (event, seat, expected) in [
        ("seat.hold", "Z9", "seat.unknown"),
        ("seat.hold", "A01", "seat.unknown"),
        ("seat.buy", "A1", "seat.not-yours"),
        ("seat.release", "A1", "seat.not-yours"),
    ] {
        ask(&ada, event, seat);
        assert_eq!(code(&ada), expected, "{event} {seat}");
    }
    for seat in ["A1", "A2", "A3", "A4", "A5"] {
        ask(&ada, "seat.hold", seat);
    }
    assert_eq!(code(&ada), "too-many-holds");
    ask(&ada, "seat.release", "A2");
    ask(&ada, "seat.buy", "A3");
    for seat in ["A5", "A6"] {
        ask(&ada, "seat.hold", seat);
    }
    assert_eq!(taken(&room).into_keys().collect::<Vec<_>>(), ["A1", "A3", "A4", "A5", "A6"]);
    assert!(room.failures().is_empty());
}

#[test]
fn a_hold_runs_out_and_its_holder_is_reminded_before() {
    let room = room();
    let (ada, bob) = (connect(&room, "ada"), connect(&room, "bob"));
    ask(&ada, "seat.hold", "A1");
    room.advance(Duration::from_secs(30));
    ask(&bob, "seat.hold", "A2");
    // To ask again is no way to hold for longer.
    ask(&ada, "seat.hold", "A1");
    ada.received();
    bob.received();
    room.advance(Duration::from_secs(89));
    let closing = json!({ "type": "seat.closing", "seat": "A1", "until": START + 120_000, "now": START + 100_000 });
    assert_eq!(ada.events(), [closing]);
    assert!(bob.events().is_empty());
    room.advance(Duration::from_secs(31));
    let (first, second) = (START + 120_000, START + 150_000);
    assert_eq!(ada.events(), [free("A1", first), free("A2", second)]);
    let closing = json!({ "type": "seat.closing", "seat": "A2", "until": second, "now": second - 20_000 });
    assert_eq!(bob.events(), [free("A1", first), closing, free("A2", second)]);
    assert!(room.stored_keys().is_empty() && room.alarm().is_none() && room.timers().is_empty());
}

#[test]
fn holds_that_end_together_are_reminded_and_end_together() {
    let room = TestRoom::builder().time(START).config("hold-seconds", "60").build(tickets);
    let ada = connect(&room, "ada");
    for seat in ["A1", "C7", "A2"] {
        ask(&ada, "seat.hold", seat);
    }
    ada.received();
    room.advance(Duration::from_secs(60));
    let seats: Vec<_> = ada.events().iter().map(|event| format!("{} {}", event["type"], event["seat"])).collect();
    assert_eq!(
        seats.join(", ").replace('"', ""),
        "seat.closing A1, seat.closing A2, seat.closing C7, seat.changed A1, seat.changed A2, seat.changed C7"
    );
}

#[test]
fn a_hold_that_is_over_counts_for_nothing_even_if_its_alarm_is_late() {
    let room = room();
    let (ada, bob) = (connect(&room, "ada"), connect(&room, "bob"));
    ask(&ada, "seat.hold", "A1");
    room.set_time(START + 120_000);
    ask(&ada, "seat.buy", "A1");
    assert_eq!(code(&ada), "seat.not-yours");
    ask(&bob, "seat.hold", "A1");
    room.advance(Duration::ZERO);
    assert_eq!(taken(&room)["A1"]["userId"], "bob");
    assert_eq!(room.alarm(), Some(START + 240_000));
}

#[test]
fn an_alarm_that_fails_is_tried_again_and_ends_the_hold_once() {
    let failures = Rc::new(Cell::new(2));
    let left = Rc::clone(&failures);
    let room = TestRoom::builder().time(START).build(move |room| {
        tickets(room)?;
        let left = Rc::clone(&left);
        // Behind the plugin's own handler: what that did is undone.
        room.on_alarm(move |_, _| match left.get() {
            0 => Ok(()),
            more => {
                left.set(more - 1);
                Err(Error::msg("not now"))
            }
        });
        Ok(())
    });
    let ada = connect(&room, "ada");
    ask(&ada, "seat.hold", "A1");
    ada.received();
    room.advance(Duration::from_secs(121));
    assert_eq!(only(&ada, "seat.changed"), Vec::<Value>::new());
    assert_eq!((failures.get(), room.stored_keys().len(), room.alarm()), (0, 1, Some(START + 120_000)));
    room.advance(Duration::from_secs(60));
    assert_eq!(ada.events(), [free("A1", START + 123_000)]);
    assert!(room.stored_keys().is_empty() && room.alarm().is_none());
}

#[test]
fn a_restart_keeps_holds_and_sales_and_still_ends_and_reminds_in_time() {
    let room = room();
    let ada = connect(&room, "ada");
    ask(&ada, "seat.hold", "A1");
    ask(&ada, "seat.hold", "B1");
    ask(&ada, "seat.buy", "B1");
    room.advance(Duration::from_secs(50));
    room.restart();
    assert_eq!(room.timers().len(), 1);
    assert_eq!(taken(&room).into_keys().collect::<Vec<_>>(), ["A1", "B1"]);
    let ada = connect(&room, "ada");
    room.advance(Duration::from_secs(70));
    let end = START + 120_000;
    let closing = json!({ "type": "seat.closing", "seat": "A1", "until": end, "now": end - 20_000 });
    assert_eq!(ada.events(), [closing, free("A1", end)]);
    // A server that was away for longer ends at once what ran out meanwhile.
    ask(&ada, "seat.hold", "A1");
    room.restart();
    room.set_time(end + 500_000);
    room.advance(Duration::ZERO);
    assert_eq!(taken(&room).into_keys().collect::<Vec<_>>(), ["B1"]);
}

#[test]
fn nothing_is_ever_sold_twice_whatever_happens_in_between() {
    let room = TestRoom::builder().time(START).config("rows", "2").config("seats-per-row", "3").build(tickets);
    let users = ["ada", "bob", "cy"];
    let mut sockets = users.map(|user| connect(&room, user));
    let (mut sold, mut sales) = (BTreeMap::<String, String>::new(), 0);
    let mut seed = 7_u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..3_000 {
        let (who, seat) = (random(3) as usize, ["A1", "A2", "A3", "B1", "B2", "B3"][random(6) as usize]);
        match random(100) {
            0..=69 => ask(&sockets[who], "seat.hold", seat),
            70..=84 => ask(&sockets[who], "seat.release", seat),
            85..=88 => ask(&sockets[who], "seat.buy", seat),
            89..=95 => room.advance(Duration::from_secs(random(90))),
            96..=97 => room.restore("crash"),
            _ => {
                room.restart();
                sockets = users.map(|user| connect(&room, user));
            }
        }
        room.check();
        for (socket, user) in sockets.iter().zip(users) {
            for bought in only(socket, "seat.bought") {
                let seat = bought["seat"].as_str().expect("a seat").to_owned();
                sales += 1;
                let owner = sold.entry(seat).or_insert_with(|| user.to_owned());
                assert_eq!(owner, user);
            }
        }
    }
    let now: BTreeMap<String, String> = taken(&room)
        .into_iter()
        .filter(|(_, seat)| seat["state"] == "sold")
        .map(|(name, seat)| (name, seat["userId"].as_str().expect("a user").to_owned()))
        .collect();
    assert_eq!(now, sold);
    assert!(sold.len() >= 4 && sales >= sold.len(), "{sold:?}");
    assert!(room.failures().is_empty(), "{:?}", room.failures());
}

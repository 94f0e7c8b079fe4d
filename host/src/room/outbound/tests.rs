use super::*;
use crate::protocol::verani;

fn packet(text: &str) -> Packet {
    text.to_owned().into()
}

impl Outbound {
    /// A queue for tests elsewhere.
    pub fn sample() -> Self {
        outbound()
    }
}

fn outbound() -> Outbound {
    outbound_of(&Arc::new(Counter::new(1_000)))
}

fn outbound_of(tenant: &Arc<Counter>) -> Outbound {
    outbound_for(&Limits { outbound_bytes: 10, outbound_frames: 3, ..Limits::default() }, tenant)
}

fn outbound_for(limits: &Limits, tenant: &Arc<Counter>) -> Outbound {
    let place = Arc::new(Counter::new(1)).place().unwrap();
    Outbound::new(limits, Wire::Verani, Arc::default(), Arc::clone(tenant), Arc::default(), place)
}

#[test]
fn a_tenants_queues_have_a_bound_together() {
    let tenant = Arc::new(Counter::new(6));
    let (slow, fresh) = (outbound_of(&tenant), outbound_of(&tenant));
    slow.push(packet("123"));
    slow.push(packet("123"));
    // A socket that owes nothing still gets its frame.
    fresh.push(packet("abc"));
    assert_eq!(fresh.pop(), Some(ToWrite::Packet(packet("abc"))));
    slow.push(packet("4"));
    assert_eq!(slow.pop(), Some(ToWrite::Close(CloseReason::TENANT_SLOW)));
    assert_eq!(tenant.used(), 0);
    slow.push(packet("late"));
    fresh.push(packet("never read"));
    drop((slow, fresh));
    assert_eq!(tenant.used(), 0);
}

#[test]
fn a_close_comes_behind_what_is_queued() {
    let outbound = outbound();
    outbound.push(packet("a"));
    outbound.close(CloseReason::RESTART);
    outbound.push(packet("late"));
    assert_eq!(outbound.pop(), Some(ToWrite::Packet(packet("a"))));
    assert_eq!(outbound.pop(), Some(ToWrite::Close(CloseReason::RESTART)));
    assert_eq!(outbound.pop(), None);
}

#[test]
fn what_a_lost_line_did_not_bring_comes_first_over_the_next() {
    let memory = Arc::new(Counter::new(1 << 20));
    let outbound = outbound();
    outbound.survive(&Limits::default(), memory);
    for text in ["a", "b"] {
        outbound.push(packet(text));
        assert_eq!(outbound.pop(), Some(ToWrite::Packet(packet(text))));
    }
    assert!(outbound.lose_line() && outbound.is_lost());
    assert!(!outbound.push(packet("c")), "nobody is woken for a line that is gone");
    assert!(!outbound.go_on(&Got::Packets(3), packet("!")) && outbound.is_lost(), "three were never sent");
    outbound.want(true);
    assert_eq!(outbound.pop(), Some(ToWrite::HandOver));
    outbound.want(false);
    assert!(outbound.go_on(&Got::Packets(1), packet("!")) && !outbound.is_lost());
    for text in ["b", "c", "!"] {
        assert_eq!(outbound.pop(), Some(ToWrite::Packet(packet(text))));
    }
    assert_eq!((outbound.pop(), outbound.of_tenant.used()), (None, 0));
    outbound.close(CloseReason::RESTART);
    assert!(!outbound.lose_line() && !outbound.go_on(&Got::Packets(3), packet("!")), "it ends with its line");
}

#[test]
fn what_told_a_client_over_a_line_that_broke_that_it_is_back_is_never_sent() {
    let sid: Arc<str> = "sid".into();
    let io = Wire::SocketIo { namespace: "/".into(), sid: Arc::clone(&sid), pid: Some(sid) };
    let connected = io.welcome().unwrap();
    let event = |number: u64| packet(&format!(r#"2["said","offset-{number}"]"#));
    let session = |secret: &str| verani::session(secret, Some(0)).into();
    let cases = [
        (Wire::Verani, Got::Packets(0), [session("first"), session("second")]),
        (io, Got::UpTo(None), [connected.clone(), connected]),
    ];
    for (wire, got, [first, second]) in cases {
        let mut outbound = outbound_for(&Limits::default(), &Arc::new(Counter::new(1 << 20)));
        outbound.wire = wire;
        outbound.survive(&Limits::default(), Arc::new(Counter::new(1 << 20)));
        outbound.push(event(1));
        outbound.push(event(2));
        for back in [first, second.clone()] {
            assert!(outbound.lose_line());
            assert!(outbound.go_on(&got, back));
            // The second line breaks before this is taken.
        }
        let mut sent = Vec::new();
        while let Some(ToWrite::Packet(packet)) = outbound.pop() {
            sent.push(packet);
        }
        let backs: Vec<_> = sent.iter().filter(|packet| outbound.wire.tells_back(packet)).collect();
        assert_eq!(backs, [&second], "{sent:?}");
        assert_eq!((sent.len(), outbound.of_tenant.used()), (3, 0));
    }
}

#[test]
fn what_is_queued_again_fills_no_queue() {
    let tenant = Arc::new(Counter::new(1_000));
    let outbound = outbound_of(&tenant);
    outbound.survive(&Limits::default(), Arc::new(Counter::new(1 << 20)));
    for text in ["a", "b", "c"] {
        outbound.push(packet(text));
        assert_eq!(outbound.pop(), Some(ToWrite::Packet(packet(text))));
    }
    outbound.lose_line();
    outbound.push(packet("d").of_event(1));
    outbound.push(packet("e"));
    // Three are queued again beside the two, and the last that tells the client: as many as twice the bound.
    assert!(outbound.go_on(&Got::Packets(0), packet("!")));
    outbound.push(packet("f"));
    for text in ["a", "b", "c", "d", "e", "!", "f"] {
        assert_eq!(outbound.pop(), Some(ToWrite::Packet(packet(text))), "nothing waited for an event");
    }
    // From now on the bound is what it was.
    for _ in 0..4 {
        outbound.push(packet("g"));
    }
    assert_eq!(outbound.pop(), Some(ToWrite::Close(CloseReason::SLOW)));
    assert_eq!(tenant.used(), 0);
}

#[test]
fn a_slow_consumer_is_closed() {
    for frame in ["12345678901", "1234"] {
        let outbound = outbound();
        for _ in 0..4 {
            outbound.push(packet(frame));
        }
        assert_eq!(outbound.pop(), Some(ToWrite::Close(CloseReason::SLOW)));
    }
}

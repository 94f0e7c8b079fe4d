use super::*;

fn packet(text: &str) -> Packet {
    text.to_owned().into()
}

fn outbound() -> Outbound {
    outbound_of(&Arc::new(Counter::new(1_000)))
}

fn outbound_of(tenant: &Arc<Counter>) -> Outbound {
    let place = Arc::new(Counter::new(1)).place().unwrap();
    let limits = Limits { outbound_bytes: 10, outbound_frames: 3, ..Limits::default() };
    Outbound::new(&limits, Wire::Verani, Arc::default(), Arc::clone(tenant), Arc::default(), place)
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
fn a_slow_consumer_is_closed() {
    for frame in ["12345678901", "1234"] {
        let outbound = outbound();
        for _ in 0..4 {
            outbound.push(packet(frame));
        }
        assert_eq!(outbound.pop(), Some(ToWrite::Close(CloseReason::SLOW)));
    }
}

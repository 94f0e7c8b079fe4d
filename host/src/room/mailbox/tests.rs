use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};

use tokio::sync::oneshot;

use super::*;
use crate::model::effect::Whom;
use crate::model::event::ClientEvent;
use crate::model::json::Json;

/// Counts how often a socket is woken.
#[derive(Debug, Default)]
struct Woken(AtomicU32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A socket that always has one more event.
struct Sender {
    id: SocketId,
    woken: Arc<Woken>,
}

impl Sender {
    fn new(id: SocketId) -> Self {
        Self { id, woken: Arc::default() }
    }

    /// Whether its event is taken now.
    fn sends(&self, mailbox: &Mailbox) -> bool {
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut event = Some(event());
        let polled = mailbox.poll_event(&mut Context::from_waker(&waker), self.id, &mut event);
        assert_eq!(polled.is_ready(), event.is_none(), "an event is taken where its place is");
        polled == Poll::Ready(Ok(()))
    }

    /// How often it was woken since this was last asked.
    fn woken(&self) -> u32 {
        self.woken.0.swap(0, Ordering::Relaxed)
    }
}

fn event() -> ClientMessage {
    ClientMessage::Event(ClientEvent { name: "e".to_owned(), ..ClientEvent::default() })
}

fn mailbox(events: usize) -> Mailbox {
    Mailbox::new(&Limits { mailbox_events: events, ..Limits::default() })
}

/// The sockets whose events are in the mailbox, in the order in which the room would handle them.
fn handled(mailbox: &Mailbox, count: usize) -> Vec<SocketId> {
    let mails = (0..count).filter_map(|_| mailbox.pop());
    let sender = |mail| match mail {
        Mail::Message { socket, .. } => Some(socket),
        _ => None,
    };
    mails.filter_map(sender).collect()
}

#[test]
fn who_waits_for_longest_gets_the_next_place() {
    let mailbox = mailbox(2);
    let senders: Vec<Sender> = (1..=5).map(Sender::new).collect();
    assert!(senders[4].sends(&mailbox) && senders[4].sends(&mailbox));
    // The numbers of the sockets say nothing about when they came.
    for place in [3, 1, 4, 0] {
        assert!(!senders[place].sends(&mailbox));
    }
    let mut order = Vec::new();
    while order.len() < 12 {
        order.extend(handled(&mailbox, 1));
        // Whatever order the threads run them in: only who is first goes in, and it queues again at once.
        loop {
            let woken: Vec<&Sender> = senders.iter().filter(|sender| sender.woken() > 0).collect();
            if woken.is_empty() {
                break;
            }
            assert_eq!(woken.len(), 1, "each place wakes one socket");
            assert!(woken[0].sends(&mailbox));
            woken[0].sends(&mailbox);
        }
        assert!(!senders[2].sends(&mailbox) || order.len() > 12, "a newcomer does not overtake the line");
    }
    assert_eq!(order[..6], [5, 5, 4, 2, 5, 1]);
    // Everyone gets as much as everyone else.
    let turns = |id: SocketId| order[2..].iter().filter(|turn| **turn == id).count();
    for id in 1..=5 {
        assert!((1..=3).contains(&turns(id)), "socket {id} got {} of {order:?}", turns(id));
    }
}

#[test]
fn a_socket_that_goes_away_holds_up_nobody() {
    let mailbox = mailbox(2);
    let [busy, first, second, third] = [1, 2, 3, 4].map(Sender::new);
    assert!(busy.sends(&mailbox) && busy.sends(&mailbox));
    assert!(!first.sends(&mailbox) && !second.sends(&mailbox) && !third.sends(&mailbox));
    assert_eq!(handled(&mailbox, 1), [1]);
    assert_eq!((first.woken(), second.woken()), (1, 0));
    // It was woken for its place, and its connection ends before it looks.
    mailbox.give_up_place(first.id);
    assert_eq!((second.woken(), third.woken()), (1, 0));
    let reason = CloseReason::BROKEN_OFF;
    mailbox.push(Mail::Disconnect { socket: second.id, reason }).unwrap();
    assert_eq!(third.woken(), 1);
    assert!(third.sends(&mailbox) && mailbox.inner.lock().line.may_go(busy.id));
}

#[test]
fn a_full_mailbox_wakes_its_sockets_when_it_is_half_empty() {
    let mailbox = mailbox(4);
    let senders: Vec<Sender> = (1..=8).map(Sender::new).collect();
    let taken = senders.iter().filter(|sender| sender.sends(&mailbox)).count();
    assert_eq!(taken, 4);
    assert_eq!(handled(&mailbox, 1), [1]);
    assert!(senders.iter().all(|sender| sender.woken() == 0));
    assert_eq!(handled(&mailbox, 1), [2]);
    assert_eq!(senders.iter().map(Sender::woken).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 0, 0, 0]);
    assert!(senders[4].sends(&mailbox));
    assert_eq!(senders[5].woken(), 1);
    assert!(senders[5].sends(&mailbox));
    // Full again: the others wait on.
    assert_eq!((senders[6].woken(), senders[6].sends(&mailbox)), (0, false));
    // A room that ends tells everyone who waits.
    mailbox.close();
    assert_eq!((senders[6].woken(), senders[7].woken()), (1, 1));
    let mut event = Some(event());
    let polled = mailbox.poll_event(&mut Context::from_waker(Waker::noop()), 7, &mut event);
    assert_eq!(polled, Poll::Ready(Err(RoomClosed)));
}

/// An emit into a channel whose name has so many bytes.
fn emit(bytes: usize) -> RoomRequest {
    let to = Whom { channel: Some("c".repeat(bytes)), ..Whom::default() };
    RoomRequest::Emit {
        to,
        event: "e".to_owned(),
        data: Json::parse("0".to_owned()).expect("JSON"),
        sent: oneshot::channel().0,
    }
}

#[test]
fn emits_have_bounds_of_their_own_and_leave_places_for_what_asks() {
    let ask = || RoomRequest::View { view: oneshot::channel().0 };
    let limits = Limits { mailbox_bytes: 10_000, ..Limits::default() };
    let large = Mailbox::new(&limits);
    assert!(large.request(emit(20_000)).is_ok(), "one goes in alone");
    assert!(matches!(large.request(emit(1)), Err(RequestNotTaken::Full)));
    assert!(large.request(ask()).is_ok());
    large.pop().expect("the emit");
    assert!(large.request(emit(9_000)).is_ok() && large.request(emit(2_000)).is_err());
    let many = Mailbox::new(&Limits::default());
    let taken = (0..REQUESTS_MAX).filter(|_| many.request(emit(1)).is_ok()).count();
    assert_eq!(taken, EMITS_MAX);
    assert!(many.request(ask()).is_ok());
}

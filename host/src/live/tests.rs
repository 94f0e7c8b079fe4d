use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::json;

use super::*;
use crate::model::names::{RoomId, TenantName};

fn interest(tenant: Option<&str>) -> Interest {
    Interest {
        topics: vec![Topic::Log],
        tenant: tenant.map(|name| TenantName::new(name).unwrap()),
        plugin: None,
        room: None,
    }
}

fn tenant(name: &str) -> LiveListener {
    LiveListener::Tenant(TenantName::new(name).unwrap())
}

fn say(live: &Live, tenant: &str, number: u64) {
    let about = About { tenant: Some(tenant), plugin: Some("chat"), room: None };
    live.tell(Topic::Log, about, || json!({ "number": number }));
}

fn heard(reader: &LiveReader) -> Vec<String> {
    std::iter::from_fn(|| reader.next().now_or_never().flatten())
        .map(|event| String::from_utf8(event.to_vec()).unwrap())
        .collect()
}

#[test]
fn nothing_is_formatted_while_nobody_wants_it() {
    let live = Arc::new(Live::default());
    let never = |live: &Live, topic| live.tell(topic, About::default(), || unreachable!("nobody listens"));
    never(&live, Topic::Log);
    let reader = live.listen(LiveListener::Operator, interest(None)).unwrap();
    never(&live, Topic::Deploys);
    drop(reader);
    never(&live, Topic::Log);
}

#[test]
fn a_tenant_hears_of_its_own_alone_and_a_room_of_what_concerns_its_plugin() {
    let live = Arc::new(Live::default());
    let acme = live.listen(tenant("acme"), interest(Some("acme"))).unwrap();
    let all = live.listen(LiveListener::Operator, interest(None)).unwrap();
    let room = Interest { room: Some(RoomId::new("lobby").unwrap()), ..interest(None) };
    let room = live.listen(LiveListener::Operator, room).unwrap();
    say(&live, "acme", 1);
    say(&live, "beta", 2);
    live.tell(Topic::Log, About { tenant: Some("acme"), plugin: Some("chat"), room: Some("other") }, || json!({}));
    live.tell(Topic::Log, About::default(), || json!("of the host"));
    assert_eq!(heard(&acme), ["event: log\ndata: {\"number\":1}\n\n", "event: log\ndata: {}\n\n"]);
    assert_eq!(heard(&all).len(), 4);
    assert_eq!(heard(&room).len(), 3);
}

#[test]
fn a_slow_reader_loses_lines_and_is_told_how_many() {
    let live = Arc::new(Live::default());
    let reader = live.listen(LiveListener::Operator, interest(None)).unwrap();
    (0..300).for_each(|number| say(&live, "acme", number));
    let lines = heard(&reader);
    assert_eq!(lines.len(), 257);
    assert_eq!(lines[256], "event: lost\ndata: {\"lines\":44}\n\n");
    say(&live, "acme", 300);
    assert_eq!(heard(&reader).len(), 1, "and hears what comes then");
}

#[test]
fn of_figures_a_late_reader_gets_the_last_alone() {
    let live = Arc::new(Live::default());
    let reader =
        live.listen(LiveListener::Operator, Interest { topics: vec![Topic::Figures], ..interest(None) }).unwrap();
    for number in 0..5 {
        live.tell_figures(|_| event("figures", &json!(number)));
    }
    assert_eq!(heard(&reader), ["event: figures\ndata: 4\n\n"]);
}

#[test]
fn sixteen_streams_are_open_at_once_and_tenants_leave_places_for_the_operator() {
    let live = Arc::new(Live::default());
    let mut open = Vec::new();
    for name in ["a", "b", "c"] {
        open.extend((0..4).map(|_| live.listen(tenant(name), interest(Some(name))).unwrap()));
        assert_eq!(live.listen(tenant(name), interest(Some(name))).unwrap_err(), TooManyStreams);
    }
    open.extend((0..4).map(|_| live.listen(LiveListener::Operator, interest(None)).unwrap()));
    assert_eq!(live.listen(LiveListener::Operator, interest(None)).unwrap_err(), TooManyStreams);
    open.pop();
    assert!(live.listen(LiveListener::Operator, interest(None)).is_ok(), "a stream that ended makes a place");
}

#[tokio::test]
async fn no_tenants_shut_another_one_out() {
    let live = Arc::new(Live::default());
    let listen = |name: &str| live.listen(tenant(name), interest(Some(name)));
    let of = |name: &str| live.queues.read().iter().filter(|queue| queue.listener == tenant(name)).count();
    let open: Vec<_> =
        ["a", "b", "c"].into_iter().flat_map(|name| (0..4).map(move |_| listen(name).unwrap())).collect();
    let mut of_others = vec![listen("d").unwrap()];
    assert_eq!(open[0].next().await, None, "the oldest of those that have most");
    assert_eq!(["a", "b", "c", "d"].map(of), [3, 4, 4, 1]);
    of_others.extend([listen("d").unwrap(), listen("d").unwrap()]);
    assert_eq!(["a", "b", "c", "d"].map(of), [3, 3, 3, 3]);
    // Two that have the same take nothing from each other.
    assert_eq!(listen("d").unwrap_err(), TooManyStreams);
    assert_eq!(["a", "b", "c", "d"].map(of), [3, 3, 3, 3]);
    // Where each has one, a thirteenth tenant takes the place of the oldest.
    drop((open, of_others));
    let each: Vec<_> = (0..13).map(|number| listen(&format!("t{number}")).unwrap()).collect();
    assert_eq!((each[0].next().await, of("t1"), of("t12")), (None, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_reads_nothing_for_long_gives_up_its_place() {
    let live = Arc::new(Live::default());
    let reader = live.listen(LiveListener::Operator, interest(None)).unwrap();
    say(&live, "acme", 1);
    tokio::time::advance(Duration::from_secs(31)).await;
    live.tell_figures(|_| unreachable!("it wants no figures"));
    assert!(!live.is_heard());
    assert_eq!(reader.next().await, None);
}

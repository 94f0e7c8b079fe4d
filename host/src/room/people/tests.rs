use super::*;
use crate::model::history::{HistoryBounds, HistoryKeep};
use crate::protocol::wire::Wire;
use crate::tenant::account::Counter;

fn meta(user: &str) -> Meta {
    Meta::anonymous(user.to_owned(), "client".to_owned(), vec![DEFAULT.to_owned()])
}

fn outbound(limits: &Limits, tenant: &Arc<Counter>) -> Outbound {
    let place = Arc::new(Counter::new(1)).place().unwrap();
    Outbound::new(limits, Wire::Verani, Arc::default(), Arc::clone(tenant), Arc::default(), place)
}

#[test]
fn no_client_is_closed_as_slow_for_what_it_missed() {
    let limits = Limits::default();
    let mut people = People::default();
    let channels: Vec<String> = (0..16).map(|number| format!("channel \"{number}\"")).collect();
    let keep = |channel: &String| HistoryKeep {
        channel: channel.clone(),
        entries: 1_000,
        ttl: Duration::from_secs(60),
        durable: false,
    };
    let keeps: Vec<HistoryKeep> = channels.iter().map(keep).collect();
    let bounds = HistoryBounds { bytes: limits.history_bytes, memory: None };
    people.state.histories.keep_only(&keeps, None, bounds, || "epoch".into());
    // Bytes become base64, and so larger.
    let body = Body::of(Payload::Binary(vec![7; 3_000]));
    for channel in &channels {
        for _ in 0..120 {
            let saying = people.state.histories.saying(channel, "said", &body, unix_ms() as UnixMs).unwrap();
            people.state.histories.say(saying);
        }
    }
    let since: Vec<_> = channels.iter().map(|channel| (channel.clone(), None)).collect();
    // One has a tenant whose queues are almost full.
    for (socket, tenant) in [(1, limits.outbound_tenant_bytes), (2, 300_000)] {
        let tenant = Arc::new(Counter::new(tenant));
        let meta = Meta { channels: channels.clone(), ..meta("ana") };
        people.admit(socket, meta, Arc::new(outbound(&limits, &tenant).missing(since.clone())));
        let answers = people.histories_for(socket, &limits);
        assert_eq!(answers.len(), 16, "each is answered");
        assert!(!answers[0].page.entries.is_empty() && answers[15].page.entries.is_empty());
        assert!(!answers[15].page.recovered, "what did not fit was missed");
        let budget = people.outbound[&socket].room_for_histories();
        people.welcome(socket, &answers);
        assert_eq!(people.outbound[&socket].closes_with(), None);
        let nothing = HistoryAnswer::nothing(&channels[15]).frame_bytes();
        assert!(tenant.used() > budget / 2 && tenant.used() <= budget + 16 * nothing, "{} of {budget}", tenant.used());
    }
}

#[test]
fn a_version_that_comes_while_a_user_connects_hears_of_that_user() {
    let (limits, tenant) = (Limits::default(), Arc::new(Counter::new(1_000)));
    let mut people = People::default();
    for (socket, user) in [(1, "ana"), (2, "ben"), (3, "ana")] {
        people.admit(socket, meta(user), Arc::new(outbound(&limits, &tenant)));
    }
    people.arriving = Some(2);
    people.know_users(true);
    assert_eq!(people.first_of_user(2).as_deref(), Some("ben"));
    people.know_users(false);
    people.arriving = Some(3);
    people.know_users(true);
    assert_eq!(people.first_of_user(3), None, "ana is here already");
}

#[test]
fn nothing_is_kept_of_a_socket_that_is_refused() {
    let (limits, tenant) = (Limits::default(), Arc::new(Counter::new(1_000)));
    let mut people = People::default();
    let outbound = Arc::new(outbound(&limits, &tenant));
    outbound.survive(&limits, Arc::clone(&tenant));
    people.admit(1, meta("ana"), Arc::clone(&outbound));
    assert!(outbound.lose_line() && outbound.note_news());
    assert_eq!(people.news_of_line(1), Some(hook::LOST));
    people.refuse(1);
    assert!(people.known_lost.is_empty() && people.known_users.is_empty());
}

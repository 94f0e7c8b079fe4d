//! Bounds that clients reach.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Client, Server, json, soon};

fn watch(limits: &str) -> Server {
    Server::builder().guest_as("end_watch", "watch").config(&format!("[limits]\n{limits}")).start()
}

async fn guest_of(server: &Server, user: &str) -> Client {
    let mut client = server.join(&format!("/watch?user={user}")).await;
    client.expect("welcome").await;
    client
}

/// A full mailbox makes senders wait; it drops nothing and mixes nothing up.
#[tokio::test]
async fn a_full_mailbox_drops_nothing() {
    for bounds in ["mailbox-events = 3\nmailbox-events-per-socket = 2", "mailbox-bytes = 20"] {
        assert_nothing_is_dropped(bounds).await;
    }
}

async fn assert_nothing_is_dropped(bounds: &str) {
    let server = watch(bounds);
    let mut clients = [guest_of(&server, "a").await, guest_of(&server, "b").await, guest_of(&server, "c").await];
    clients[0].send("work", json!({ "ms": 20 })).await;
    for count in 0..300 {
        for (place, client) in clients.iter_mut().enumerate() {
            client.send("say", json!(format!("{place} {count}"))).await;
        }
    }
    clients[0].expect("worked").await;
    let mut next = [0; 3];
    for _ in 0..900 {
        let said = clients[0].expect("said").await;
        let (place, count) = said["text"].as_str().and_then(|text| text.split_once(' ')).expect("who and what");
        let place: usize = place.parse().expect("a place");
        assert_eq!(count, next[place].to_string(), "of client {place}");
        next[place] += 1;
    }
    assert_eq!(next, [300; 3]);
}

/// Who takes its frames too slowly is closed; the room neither waits nor loses anything for others.
#[tokio::test]
async fn a_slow_reader_is_closed_and_the_room_goes_on() {
    let server = watch("outbound-bytes = 200_000");
    let mut watcher = guest_of(&server, "watcher").await;
    let mut slow = guest_of(&server, "slow").await;
    // More than the kernel takes on the way: what is not read stays in the host's queue, up to its bound.
    let mut heard = Vec::new();
    for _ in 0..50 {
        watcher.send("flood-user", json!("slow")).await;
        heard.extend(watcher.sync().await);
    }
    let closed = slow.closed().await;
    assert_eq!(closed.code, 1008);
    assert!(closed.reason.contains("slow consumer"), "{closed:?}");
    server.wait_for_log(&["gone slow 1008"]).await;
    heard.extend(watcher.sync().await);
    let gone: Vec<&String> = heard.iter().filter(|frame| frame.contains("\"type\":\"gone\"")).collect();
    assert!(gone.len() == 1 && gone[0].contains("\"user\":\"slow\"") && gone[0].contains("\"ends\":1"), "{gone:?}");
}

#[tokio::test]
async fn too_many_frames_for_one_reader() {
    let server = watch("outbound-frames = 10\nemits-per-turn = 100");
    let mut watcher = guest_of(&server, "watcher").await;
    let mut slow = guest_of(&server, "slow").await;
    // One turn queues them all at once, so that no reader is fast enough.
    slow.send("flood", json!({ "frames": 50, "bytes": 1 })).await;
    assert_eq!(slow.closed().await.code, 1008);
    assert_eq!(watcher.next_event("gone").await["code"], 1008);
}

/// Once a client that read all the time was closed as slow: its room took one waiting event after the other and never
/// let the socket write in between.
#[tokio::test]
async fn who_reads_all_the_time_is_never_too_slow() {
    let server = watch("outbound-frames = 1_000\noutbound-bytes = 1_000_000");
    let mut eager = guest_of(&server, "eager").await;
    for _ in 0..60 {
        eager.send("flood", json!({ "frames": 100, "bytes": 100 })).await;
    }
    for _ in 0..6_000 {
        eager.expect("flood").await;
    }
    for _ in 0..10 {
        eager.send("flood", json!({ "frames": 10, "bytes": 40_000 })).await;
    }
    for _ in 0..100 {
        eager.expect("flood").await;
    }
}

/// Once a socket that took nothing more could not be closed: its close waited behind frames that never left.
#[tokio::test]
async fn a_stalled_socket_can_be_closed() {
    let server = watch("outbound-bytes = 100_000_000\noutbound-frames = 100_000");
    let mut watcher = guest_of(&server, "watcher").await;
    let mut stalled = guest_of(&server, "stalled").await;
    // More than the kernel takes on the way, and less than the queue holds.
    for _ in 0..80 {
        stalled.send("flood", json!({ "frames": 12, "bytes": 40_000 })).await;
    }
    stalled.send("close", json!({ "code": 4000, "reason": "enough" })).await;
    let gone = watcher.next_event("gone").await;
    assert_eq!((&gone["user"], &gone["code"]), (&json!("stalled"), &json!(4000)));
}

#[tokio::test]
async fn sockets_of_a_room() {
    let server = watch("sockets-per-room = 2");
    let mut first = guest_of(&server, "a").await;
    let _second = guest_of(&server, "b").await;
    let refused = server.refused("/watch?user=c").await;
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("sockets-per-room"), "{}", refused.body);
    assert!(refused.header("retry-after").is_some());
    // Another room has places of its own, and a place that is left is free.
    server.join("/watch?room=other&user=c").await.expect("welcome").await;
    first.close(1000, "").await;
    let mut third = soon("the place that was left", async {
        loop {
            if let Ok(client) = server.connect("/watch?user=c").await {
                return client;
            }
        }
    })
    .await;
    third.expect("welcome").await;
}

#[tokio::test]
async fn sockets_and_rooms_of_a_tenant() {
    let server = Server::builder()
        .guest_as("end_watch", "watch")
        .guest_as("end_watch", "other/watch")
        .config(
            "[limits]\nsockets-per-tenant = 3\nrooms-per-tenant = 2\ninstance-wait-ms = 100\nroom-linger-ms = 600_000",
        )
        .start();
    let room = async |path: &str| server.join(path).await;
    let (_a, mut b) = (room("/watch?room=a").await, room("/watch?room=b").await);
    let refused = server.refused("/watch?room=c").await;
    assert!(refused.status == 503 && refused.body.contains("rooms-per-tenant"), "{refused:?}");
    let _third = room("/watch?room=a").await;
    let refused = server.refused("/watch?room=a").await;
    assert!(refused.status == 503 && refused.body.contains("sockets-per-tenant"), "{refused:?}");
    // A room that nobody is in gives way to another.
    b.close(1000, "").await;
    server.wait_for_log(&["gone somebody"]).await;
    let mut c = soon("the place that was left", async {
        loop {
            if let Ok(client) = server.connect("/watch?room=c").await {
                return client;
            }
        }
    })
    .await;
    c.expect("welcome").await;
    // Another tenant is not concerned.
    room("/t/other/watch?room=a").await.expect("welcome").await;
}

/// Who answers pings stays, who does not is closed. The key of earlier versions still works.
#[tokio::test]
async fn a_silent_socket_is_closed() {
    for limits in ["ping-after-ms = 200\nping-timeout-ms = 400", "idle-socket-ms = 600"] {
        assert_silent_socket_is_closed(limits).await;
    }
}

async fn assert_silent_socket_is_closed(limits: &str) {
    let server = watch(limits);
    let mut watcher = guest_of(&server, "watcher").await;
    let mut silent = crate::disconnect::raw_socket(&server, "/watch?user=silent").await;
    // The watcher answers pings, since it reads all the time.
    let gone = watcher.next_event("gone").await;
    assert_eq!((&gone["user"], &gone["code"], &gone["ends"]), (&json!("silent"), &json!(1008), &json!(1)));
    assert!(gone["reason"].as_str().is_some_and(|reason| reason.contains("ping-timeout-ms")), "{gone}");
    let mut bytes = Vec::new();
    soon("the end of the silent connection", silent.read_to_end(&mut bytes)).await.expect("an orderly end");
    let ping = bytes.windows(2).position(|part| part == [0x89, 0x00]);
    let close = bytes.windows(4).position(|part| part[0] == 0x88 && part[2..] == 1008u16.to_be_bytes());
    assert!(ping.is_some() && ping < close, "first a ping, then 1008: {bytes:x?}");
    watcher.expect_silence().await;
}

/// The silence that counts is the client's: what the room says to it does not tell that it is there.
#[tokio::test]
async fn a_client_that_only_listens_is_pinged() {
    let server = watch("ping-after-ms = 300\nping-timeout-ms = 60_000");
    let mut talks = guest_of(&server, "talks").await;
    let mut listens = crate::disconnect::raw_socket(&server, "/watch?user=listens").await;
    let mut heard = Vec::new();
    soon("a ping", async {
        while !heard.windows(2).any(|part| part == [0x89, 0x00]) {
            talks.send("say", json!("on and on")).await;
            talks.next_event("said").await;
            listens.read_buf(&mut heard).await.expect("the server goes on");
        }
    })
    .await;
    assert!(heard.windows(9).filter(|part| part == b"on and on").count() > 1, "the room talked all the time");
}

/// A connection that says nothing, or not enough, is no way to hold the server's descriptors.
#[tokio::test]
async fn a_slow_handshake_is_cut_off() {
    let server = watch("handshake-ms = 300");
    for sent in ["", "GET /watch HTTP/1.1\r\nHost: a\r\nX-Slow: "] {
        let mut stream = TcpStream::connect(server.address()).await.expect("the server listens");
        stream.write_all(sent.as_bytes()).await.expect("the server reads");
        let mut answer = Vec::new();
        // Cut off by an end or by a reset.
        let _ = soon("the end of a slow handshake", stream.read_to_end(&mut answer)).await;
        assert!(!answer.starts_with(b"HTTP/1.1 101"), "{answer:?}");
    }
    guest_of(&server, "fast").await;
}

#[tokio::test]
async fn frames_that_come_too_fast() {
    let server = watch("frames-per-second = 1\nframes-burst = 20");
    let mut watcher = guest_of(&server, "watcher").await;
    let mut fast = guest_of(&server, "fast").await;
    for count in 0..40 {
        fast.send("say", json!(count.to_string())).await;
    }
    let (frames, closed) = fast.frames_until_closed().await;
    assert_eq!(closed.code, 1008);
    let number = closed.reason.strip_prefix("too many frames: frames-per-second; frame ");
    let number = number.and_then(|rest| rest.strip_suffix(" was not taken")).expect("the frame's number");
    let taken = number.parse::<usize>().expect("a number") - 1;
    // What was within the rate was heard, in order, by its sender too, and then the end of it.
    assert!(taken >= 20 && frames.len() == taken, "{taken} {frames:?}");
    for count in 0..taken {
        assert_eq!(watcher.expect("said").await["text"], count.to_string());
    }
    assert_eq!(watcher.next_event("gone").await["user"], "fast");
}

/// A frame that the host takes may be too large for what the plugin makes of it.
#[tokio::test]
async fn a_sender_hears_that_its_event_is_too_large_to_be_passed_on() {
    let server = watch("emit-bytes = 200");
    let (mut sender, mut other) = (guest_of(&server, "sender").await, guest_of(&server, "other").await);
    let fits = "x".repeat(200 - r#"{"text":""}"#.len());
    sender.send("say", json!(format!("{fits}x"))).await;
    let told = sender.expect("error").await;
    assert_eq!(told["code"], "limit-exceeded");
    assert_eq!(told["message"], "say was not handled: its turn passed the bound emit-bytes");
    sender.send("say", json!(fits)).await;
    assert_eq!(sender.expect("said").await["text"], fits);
    // Nobody else hears of it.
    assert_eq!(other.expect("said").await["text"], fits);
}

/// A client that sends steadily is not to blame for what its room takes late.
#[tokio::test]
async fn a_client_that_its_room_holds_back_is_not_too_fast() {
    let server =
        watch("frames-per-second = 100\nframes-burst = 10\nmailbox-events-per-socket = 2\nturn-cpu-ms = 5_000");
    let mut steady = guest_of(&server, "steady").await;
    steady.send("work", json!({ "ms": 1_000 })).await;
    for count in 0..60 {
        steady.send("say", json!(count.to_string())).await;
        tokio::time::sleep(std::time::Duration::from_millis(12)).await;
    }
    steady.expect("worked").await;
    for count in 0..60 {
        assert_eq!(steady.expect("said").await["text"], count.to_string());
    }
}

/// It is read no faster; nothing of what it sends is lost.
#[tokio::test]
async fn bytes_that_come_too_fast_wait() {
    let server = watch("inbound-bytes-per-second = 100_000");
    let mut client = guest_of(&server, "client").await;
    let start = std::time::Instant::now();
    let text = "x".repeat(30_000);
    for _ in 0..10 {
        client.send("say", json!(text)).await;
    }
    for _ in 0..10 {
        client.expect("said").await;
    }
    // The first second's bytes are free, the other 200,000 take two seconds.
    assert!(start.elapsed().as_millis() >= 1_900, "{:?}", start.elapsed());
}

#[tokio::test]
async fn connections_of_an_address() {
    let server = watch("sockets-per-address = 3");
    let mut kept = vec![guest_of(&server, "a").await, guest_of(&server, "b").await];
    let idle = TcpStream::connect(server.address()).await.expect("the server listens");
    let refused = soon("an address that is full", async {
        loop {
            // The connection that says nothing is counted once it is accepted.
            match server.connect("/watch?user=c").await {
                Ok(client) => kept.push(client),
                Err(refused) => return refused,
            }
        }
    })
    .await;
    assert_eq!(refused.status, 429);
    assert!(refused.body.contains("sockets-per-address") && refused.header("retry-after").is_some(), "{refused:?}");
    drop(idle);
    drop(kept);
    soon("a place that was left", async { while server.connect("/watch?user=d").await.is_err() {} }).await;
}

#[tokio::test]
async fn connections_of_an_address_behind_a_proxy() {
    let builder = Server::builder().guest_as("end_watch", "watch");
    let server = builder.config("trusted-proxies = [\"127.0.0.1\"]\n[limits]\nsockets-per-address = 1").start();
    let connect = async |client: &str| {
        server.request("GET", "/watch").header("x-forwarded-for", client).websocket().upgrade().await
    };
    let first = connect("203.0.113.1").await.expect("a place");
    let refused = connect("203.0.113.1").await.expect_err("one place an address");
    assert!(refused.status == 429 && refused.body.contains("sockets-per-address"), "{refused:?}");
    connect("203.0.113.2").await.expect("another address");
    drop(first);
    soon("the place that was left", async { while connect("203.0.113.1").await.is_err() {} }).await;
}

#[tokio::test]
async fn upgrades_of_an_address() {
    let server = watch("upgrades-per-address-per-second = 1\nupgrades-per-address-burst = 3");
    for user in ["a", "b", "c"] {
        guest_of(&server, user).await;
    }
    let refused = server.refused("/watch?user=d").await;
    assert_eq!(refused.status, 429);
    assert!(refused.body.contains("upgrades-per-address-per-second"), "{}", refused.body);
    assert!(refused.header("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait > 0)));
}

#[tokio::test]
async fn connections_of_the_server() {
    let server = watch("sockets-of-host = 2");
    let _kept = [guest_of(&server, "a").await, guest_of(&server, "b").await];
    let refused = server.refused("/watch?user=c").await;
    assert!(refused.status == 503 && refused.body.contains("sockets-of-host"), "{refused:?}");
    assert!(refused.header("retry-after").is_some());
}

/// A storm is turned away at once and not queued until nobody waits any more.
#[tokio::test]
async fn upgrades_that_wait_for_authorize() {
    let server = watch("authorize-at-once = 1\nauthorize-waiting = 2\nturn-cpu-ms = 5_000");
    let paths: Vec<String> = (0..60).map(|number| format!("/watch?user={number}")).collect();
    let storm = paths.iter().map(|path| server.connect(path));
    let answers = futures_util::future::join_all(storm).await;
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert!(refused.len() < 60, "nobody was let in");
    for refused in refused {
        assert_eq!(refused.status, 503);
        assert!(refused.body.contains("authorize-waiting") && refused.header("retry-after").is_some(), "{refused:?}");
    }
}

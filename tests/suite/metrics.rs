//! `/_parlor/metrics`: figures that move, under labels that no client can make more of.

use crate::harness::{Server, json};

/// The figures, by name with labels.
pub async fn scrape(server: &Server) -> Vec<(String, f64)> {
    let answer = server.request("GET", "/_parlor/metrics").operator().send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.header("content-type").expect("a type").starts_with("application/openmetrics-text"));
    assert!(answer.body.ends_with("# EOF\n"));
    let figures = answer.body.lines().filter(|line| !line.starts_with('#'));
    let figures = figures.map(|line| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().unwrap_or_else(|why| panic!("{line}: {why}")))
    });
    figures.collect()
}

#[track_caller]
pub fn figure(figures: &[(String, f64)], name: &str) -> f64 {
    let found = figures.iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no {name}: {figures:#?}")).1
}

#[tokio::test]
async fn figures_move_and_none_is_lost_with_its_room() {
    let server = Server::builder().guest("members").config("[limits]\nroom-linger-ms = 0\nbad-frames = 0").start();
    let of = |name: &str| format!("parlor_{name}{{tenant=\"default\",plugin=\"members\"}}");
    let before = scrape(&server).await;
    assert_eq!(figure(&before, &of("sockets")), 0.0);
    assert_eq!(figure(&before, &of("quarantined")), 0.0);
    let mut client = server.enter("/members?user=ada&room=secret-room").await;
    let during = scrape(&server).await;
    assert_eq!((figure(&during, &of("sockets")), figure(&during, &of("rooms"))), (1.0, 1.0));
    let turns = figure(&during, &of("turns_total"));
    assert!(turns > 0.0);
    assert_eq!(figure(&during, "parlor_upgrades_total{status=\"101\"}"), 1.0);
    assert!(figure(&during, "parlor_tenant_memory_bytes{tenant=\"default\"}") > 0.0);
    assert!(figure(&during, "parlor_instances_live") >= 1.0);
    client.send_text("no frame").await;
    client.closed().await;
    server.refused("/nothing").await;
    let after = loop {
        let after = scrape(&server).await;
        assert!(figure(&after, &of("turns_total")) >= turns, "turns are lost");
        if figure(&after, &of("rooms")) == 0.0 {
            break after;
        }
    };
    assert!(figure(&after, &of("turns_total")) >= turns);
    assert_eq!(figure(&after, &of("bad_frames_total")), 1.0);
    let closed = "parlor_closed_sockets_total{tenant=\"default\",plugin=\"members\",reason=\"bad-text\"}";
    assert_eq!(figure(&after, closed), 1.0);
    assert_eq!(figure(&after, "parlor_upgrades_total{status=\"404\"}"), 1.0);
    assert_eq!(figure(&after, "parlor_panics_total"), 0.0);
    // Entering made an instance and had a turn; what came later were no events.
    assert!(figure(&after, &of("turn_cpu_seconds_count")) > 0.0 && figure(&after, &of("turn_cpu_seconds_sum")) > 0.0);
    assert_eq!(figure(&after, &of("open_seconds_count")), 1.0);
    let last = "parlor_open_seconds_bucket{le=\"+Inf\",tenant=\"default\",plugin=\"members\"}";
    assert_eq!(figure(&after, last), 1.0);
    assert_eq!(figure(&after, &of("wake_seconds_count")), 0.0);
    for task in ["accept", "folder", "alarms", "verdicts", "idle", "log", "storage-read", "storage-write"] {
        assert_eq!(figure(&after, &format!("parlor_task_restarts_total{{task=\"{task}\"}}")), 0.0);
    }
}

#[tokio::test]
async fn labels_are_what_is_served_and_nothing_else() {
    let server = Server::builder().guest("members").guest_as("members", "acme/mine").start();
    let mut client = server.enter("/members?user=secret-user&room=secret-room").await;
    client.send("secret-event", json!({})).await;
    server.refused("/t/secret-tenant/members").await;
    let health = server.request("GET", "/_parlor/health").send().await;
    assert_eq!(health.status, 200);
    let figures = scrape(&server).await;
    for (name, _) in &figures {
        assert!(!name.contains("secret") && !name.contains("-host") && !name.contains("127.0.0.1"), "{name}");
    }
    let words = ["tenant", "plugin", "kind", "le", "reason", "status", "task", "version", "worker"];
    for (name, _) in figures.iter().filter(|(name, _)| name.contains('{')) {
        let labels = name.split_once('{').expect("labels").1.trim_end_matches('}');
        for label in labels.split(',') {
            assert!(words.contains(&label.split('=').next().expect("a name")), "{name}");
        }
    }
    assert!(figures.iter().any(|(name, _)| name.contains("tenant=\"acme\",plugin=\"mine\"")));
}

#[tokio::test]
async fn failures_are_counted_by_kind_across_versions() {
    let server = Server::builder().file("bare.wasm", hostile_guests::bare(&[("in handle", "unreachable")])).start();
    let mut client = server.join("/bare").await;
    client.send("say", json!({})).await;
    server.wait_for_log(&["turn failed", "trap"]).await;
    let trap = "parlor_failures_total{tenant=\"default\",plugin=\"bare\",kind=\"trap\"}";
    assert_eq!(figure(&scrape(&server).await, trap), 1.0);
    let put = server.request("PUT", "/_parlor/api/plugins/default/bare").operator();
    assert_eq!(put.body("application/wasm", hostile_guests::bare(&[])).send().await.status, 200);
    assert_eq!(figure(&scrape(&server).await, trap), 1.0);
}

#[tokio::test]
async fn the_clock_that_interrupts_guests_stands_while_none_runs() {
    let server = Server::builder().guest("members").start();
    let ticks = async || figure(&scrape(&server).await, "parlor_guest_clock_ticks_total");
    for user in ["ada", "bob"] {
        let stood_at = stands(&ticks).await;
        let client = server.enter(&format!("/members?user={user}")).await;
        // It ticks for the call of a client that enters.
        while ticks().await == stood_at {}
        // The socket stays, and so does its room's instance.
        stands(&ticks).await;
        drop(client);
    }
}

/// Waits until the clock ticks no more.
async fn stands(ticks: &impl AsyncFn() -> f64) -> f64 {
    let mut before = ticks().await;
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let now = ticks().await;
        if now == before {
            return now;
        }
        before = now;
    }
}

#[tokio::test]
async fn handlers_have_figures_of_their_own_where_the_operator_asks_for_them() {
    let say = "{tenant=\"default\",plugin=\"plain\",event=\"say\"}";
    for asks in [false, true] {
        let server = Server::builder().guest("plain").config(&format!("handler-metrics = {asks}")).start();
        let mut client = server.enter_after("/plain?room=r", "hello").await;
        client.send("say", json!({})).await;
        client.expect("said").await;
        // A name that a client thinks of is no handler's.
        client.send("novel", json!({})).await;
        client.sync().await;
        let figures = scrape(&server).await;
        assert!(!figures.iter().any(|(name, _)| name.contains("novel")), "{figures:?}");
        if asks {
            for (name, value) in
                [("turns", 1.0), ("failures", 0.0), ("emits", 1.0), ("deliveries", 1.0), ("writes", 0.0)]
            {
                assert_eq!(figure(&figures, &format!("parlor_handler_{name}_total{say}")), value, "{name}");
            }
            assert!(figure(&figures, &format!("parlor_handler_cpu_seconds_total{say}")) > 0.0);
        } else {
            assert!(!figures.iter().any(|(name, _)| name.contains("handler")), "{figures:?}");
        }
    }
}

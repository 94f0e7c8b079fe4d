//! Deployments: a tenant that brings thousands of bad files, or compiles without end, waits for itself alone.

use std::fs;

use hostile_guests::bare;

use super::super::{fail, member};
use super::{figure, of, tokens, upload};
use crate::harness::{Client, Response, Server, guest, json, soon};

/// A component that is compiled in each run of the tests, and whose `init` then fails.
fn trapping(number: u32) -> Vec<u8> {
    let more = format!("(func $f (drop (i32.const {number})) (drop (i32.const {})))", std::process::id());
    bare(&[("in init", "unreachable"), ("at the end", &more)])
}

/// A version of a component that takes its time to compile, in each run of the tests.
fn version(number: u8) -> Vec<u8> {
    let mut bytes = guest("fault_turns");
    // A section of its own: its kind, its length, and a name of no bytes before its content.
    bytes.extend([0, 6, 0, number]);
    bytes.extend(std::process::id().to_le_bytes());
    bytes
}

async fn says(client: &mut Client) {
    client.send("say", json!(1)).await;
    client.expect("say").await;
}

/// What the API says of a plugin of the greedy tenant.
async fn told(server: &Server, plugin: &str) -> Response {
    server.request("GET", &format!("/_parlor/api/plugins/evil/{plugin}")).operator().send().await
}

const OWED: &str = "parlor_tenant_deployments_owed_seconds{tenant=\"evil\"}";

/// Two thousand files that are no components, and as many compilations as half a core-second buys at a hundredth of a core:
/// the next tenant's file is served while the greedy one's still wait for their turn.
#[tokio::test]
async fn thousands_of_bad_files_hold_up_no_other_tenant() {
    let config = tokens("tenant-cpu-percent = 1\ntenant-cpu-burst-ms = 10");
    let server = Server::builder().file("bare.wasm", bare(&[])).config(&config).start();
    let plugins = server.folder().join("plugins");
    for tenant in ["evil", "good"] {
        fs::create_dir(plugins.join(tenant)).expect("a folder");
    }
    for number in 0..2_000 {
        fs::write(plugins.join(format!("evil/junk-{number:04}.wasm")), format!("junk {number}")).expect("a file");
    }
    for number in 0..20 {
        fs::write(plugins.join(format!("evil/trap-{number:02}.wasm")), trapping(number)).expect("a file");
    }
    fs::write(plugins.join("good/own.wasm"), bare(&[])).expect("a file");
    let mut good = soon("the good tenant's plugin", async {
        loop {
            match server.connect("/t/good/bare").await {
                Ok(client) => return client,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
    })
    .await;
    says(&mut good).await;
    assert_eq!(told(&server, "trap-19").await.status, 404, "the greedy tenant's last file was not looked at yet");
    soon("the debt of the greedy tenant", async {
        while figure(&server, OWED).await == 0.0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    // The first of them have a line each, and all others one.
    let lines = |words: &str| server.log().iter().filter(|line| line.contains("evil") && line.contains(words)).count();
    soon("the first lines", async {
        while lines("is not served") < 20 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    assert!(lines("is not served") <= 40 && lines("not served") <= 43, "{}", lines("is not served"));
}

/// The start waits for as many files of a tenant as it may have plugins; the others come afterwards, at the tenant's cost.
#[tokio::test]
async fn a_start_waits_for_no_tenant_with_too_many_files() {
    let bounds = "plugins-per-tenant = 3\ntenant-cpu-percent = 1\ntenant-cpu-burst-ms = 10";
    let mut builder = Server::builder().file("good/own.wasm", bare(&[])).config(&tokens(bounds));
    for number in 0..30 {
        builder = builder.file(&format!("evil/trap-{number:02}.wasm"), trapping(number));
    }
    let server = builder.start();
    assert_eq!(server.request("GET", "/_parlor/ready").send().await.status, 200);
    says(&mut server.join("/t/good/bare").await).await;
    assert_eq!(told(&server, "trap-02").await.status, 200, "it was refused before the start was over");
    assert_eq!(told(&server, "trap-29").await.status, 404, "it was not looked at yet");
    // What the start did for the tenant is charged, and delays what it does next by no more than a burst is worth.
    server.wait_for_log(&["trap-03.wasm is not served"]).await;
    assert!(figure(&server, OWED).await > 0.0);
}

/// Compiling is charged to who uploads, and stops none of its rooms; what owes too much is told when to come back.
#[tokio::test]
async fn uploads_are_paid_for() {
    let config = tokens("tenant-cpu-percent = 2\ntenant-cpu-burst-ms = 50") + "[limits]\ncompiled-functions-bytes = 0";
    let server = Server::builder().guest_as("fault_turns", "evil/turns").guest_as("fault_turns", "good/turns");
    let server = server.config(&config).start();
    let mut members = [member(&server, "good", "a").await, member(&server, "evil", "a").await];
    let cpu = "parlor_tenant_cpu_seconds_total{tenant=\"evil\"}";
    let before = figure(&server, cpu).await;
    let put = upload(&server, "evil", "turns", version(0)).await;
    assert_eq!(put.status, 200, "{put:?}");
    assert!(figure(&server, cpu).await > before + 0.05, "the process that compiles is charged");
    let refused = upload(&server, "evil", "turns", version(1)).await;
    assert_eq!((refused.status, refused.body.contains("tenant-cpu-percent")), (429, true), "{refused:?}");
    assert!(refused.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok_and(|wait| wait >= 10)));
    assert!(figure(&server, OWED).await > 10.0);
    // Rooms go on, the greedy tenant's as well; the good one uploads.
    for member in &mut members {
        member.sync().await;
    }
    let put = upload(&server, "good", "turns", version(2)).await;
    assert_eq!(put.status, 200, "{put:?}");
    // The operator waits for nobody.
    let put = server.request("PUT", "/_parlor/api/plugins/evil/turns").operator();
    let put = put.body("application/wasm", version(3)).send().await;
    assert_eq!(put.status, 200, "{put:?}");
}

/// Answers of the API are charged to the token that asks. Those of a tenant that owes wait, one after the other and within
/// a bound, and nobody else does.
#[tokio::test]
async fn answers_of_the_api_are_paid_for() {
    let config = tokens("tenant-cpu-percent = 1\ntenant-cpu-burst-ms = 10") + "[limits]\nturn-cpu-ms = 300";
    let server = Server::builder().guest_as("fault_turns", "evil/turns").guest_as("fault_turns", "good/turns");
    let server = server.config(&config).start();
    let cpu = "parlor_tenant_cpu_seconds_total{tenant=\"evil\"}";
    let before = figure(&server, cpu).await;
    let ask = |tenant: &str| of(tenant, server.request("GET", "/_parlor/api/plugins")).send();
    assert_eq!(ask("evil").await.status, 200);
    assert!(figure(&server, cpu).await > before);
    // Half a minute's share, used by one room.
    fail(&mut member(&server, "evil", "a").await, "spin").await;
    soon("a debt", async {
        while figure(&server, "parlor_tenant_cpu_owed_seconds{tenant=\"evil\"}").await < 10.0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    let greedy: Vec<_> = (0..12).map(|_| tokio::spawn(ask("evil"))).collect();
    for _ in 0..20 {
        assert_eq!(ask("good").await.status, 200);
    }
    let mut answers = [0, 0];
    for answer in greedy {
        let answer = answer.await.expect("an answer");
        assert!(answer.status == 200 || answer.body.contains("tenant-cpu-percent"), "{answer:?}");
        answers[usize::from(answer.status == 429)] += 1;
    }
    assert!(answers.iter().all(|count| *count > 0), "{answers:?}");
}

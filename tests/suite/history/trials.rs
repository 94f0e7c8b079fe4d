//! What a version said that the room went back from, and that kept no history of it.

use crate::harness::{Client, Server, Value, guest, json};
use crate::swap::{deploy, moved, say, server, state};

/// Somebody who comes back behind this position: whether nothing is missing.
async fn is_all(server: &Server, position: &str) -> bool {
    let mut reader = server.join(&format!("/swap?user=reader&since=default:{position}")).await;
    let history: Value = serde_json::from_str(&reader.frame().await).expect("JSON");
    assert_eq!(history["type"], "history", "{history}");
    history["recovered"] == true
}

/// Has the room say something to everybody; answers its position, where it is kept.
async fn tell(client: &mut Client) -> Option<String> {
    client.send("slow", json!({ "ms": 1 })).await;
    loop {
        let frame: Value = serde_json::from_str(&client.frame().await).expect("JSON");
        if frame["data"]["type"] == "slow" {
            return frame["at"].as_str().map(str::to_owned);
        }
    }
}

#[tokio::test]
async fn what_a_version_said_that_failed_its_trial_is_missed_after_a_restart_as_well() {
    let mut server = server("swap_keeps", "[limits]\nswap-trial-turns = 100000");
    let mut client = server.enter("/swap").await;
    let last = tell(&mut client).await.expect("a position");
    assert!(is_all(&server, &last).await);
    deploy(&server, "swap_trap").await;
    moved(&mut client, "trap").await;
    assert_eq!(tell(&mut client).await, None, "nobody keeps it");
    // It goes back, and says nothing to everybody from then on.
    say(&mut client, 1).await;
    assert_eq!(state(&mut client).await["version"], "keeps");
    assert!(!is_all(&server, &last).await);
    for _ in 0..2 {
        assert!(server.terminate().await.success());
        // The room alone went back: one room condemns no version.
        std::fs::write(server.folder().join("plugins/swap.wasm"), guest("swap_keeps")).expect("a file");
        server.start_again();
        assert!(!is_all(&server, &last).await, "what the other version said is missing");
    }
    let mut client = server.enter("/swap").await;
    let next = tell(&mut client).await.expect("a position");
    assert!(server.terminate().await.success());
    server.start_again();
    assert!(!is_all(&server, &last).await && is_all(&server, &next).await);
}

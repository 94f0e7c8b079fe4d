//! A durable history is what clients saw, whenever the server was killed.

use std::sync::Arc;

use tokio::sync::RwLock;

use super::{Heard, back, path, say, server};
use crate::harness::{Client, Server};

/// Has somebody talk until the connection breaks.
async fn talk(server: Arc<RwLock<Server>>, talker: u64, kill: u64) {
    let mut client = server.read().await.join(&path(&format!("talker-{talker}"), "&in=else")).await;
    for n in 1_u64.. {
        say(&mut client, "talk", kill * 1_000_000 + talker * 100_000 + n).await;
        if n % 8 == 0 && client.sync_or_end().await.1.is_some() {
            return;
        }
    }
}

/// Hears until there is enough, or the connection breaks.
async fn hear(client: &mut Client, heard: &mut Heard, enough: usize) -> bool {
    for _ in 0..enough {
        match client.frame_or_close().await {
            Ok(frame) => heard.add(&serde_json::from_str(&frame).unwrap()),
            Err(_) => return false,
        }
    }
    true
}

#[tokio::test]
async fn a_durable_history_is_what_clients_heard_after_kills() {
    const KILLS: u64 = 4;
    let server = Arc::new(RwLock::new(server("talk 1000 3600000 durable", "")));
    let mut heard = Heard::default();
    for kill in 0..KILLS {
        let (mut client, is_all) = back(&*server.read().await, "reader", "talk", &mut heard).await;
        assert!(is_all, "kill {kill}: what was heard is missing, or what followed it");
        let talkers: Vec<_> = (0..2).map(|talker| tokio::spawn(talk(Arc::clone(&server), talker, kill))).collect();
        assert!(hear(&mut client, &mut heard, 60).await);
        // In the midst of it.
        server.write().await.kill();
        hear(&mut client, &mut heard, usize::MAX).await;
        for talker in talkers {
            talker.await.unwrap();
        }
        server.write().await.start_again();
    }
    let (_, is_all) = back(&*server.read().await, "reader", "talk", &mut heard).await;
    assert!(is_all);
    heard.check();
    let mut all = Heard::default();
    back(&*server.read().await, "another", "talk", &mut all).await;
    // What was heard before is what is stored, as far as that goes back and an answer has space.
    let behind = heard.0.len() - all.0.len();
    assert!(all.0.len() > 100 && all.0 == heard.0[behind..], "{:?} {:?}", all.0.first(), heard.0.get(behind));
}

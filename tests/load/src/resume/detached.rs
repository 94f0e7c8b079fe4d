//! What sockets cost that have lost their line.

use std::time::Duration;

use anyhow::ensure;

use super::session::Session;
use crate::load::server::{Memory, Server};

/// How long memory may settle.
const SETTLE: Duration = Duration::from_secs(2);

/// Opens so many sockets, has all of them lose their lines, and has all come back.
pub async fn measure(sockets: usize, server: &Server) -> anyhow::Result<()> {
    let (first, mut sessions) = (sockets / 5, Vec::new());
    let mut memory = Vec::new();
    for until in [first, sockets] {
        for number in sessions.len()..until {
            sessions.push(Session::begin(server.address, &format!("user{number}")).await?);
        }
        tokio::time::sleep(SETTLE).await;
        memory.push(server.memory()?);
    }
    let mut parted = Vec::new();
    for mut session in sessions {
        session.part().await?;
        parted.push(session);
    }
    tokio::time::sleep(SETTLE).await;
    let detached = server.memory()?;
    let each = |memory: &Memory, less: &Memory| (memory.pss_kib - less.pss_kib) / (sockets - first) as f64;
    println!(
        "{sockets} sockets: {:.2} KiB each with a line; all of them without: {:.1} MiB in place of {:.1} MiB",
        each(&memory[1], &memory[0]),
        detached.pss_kib / 1024.0,
        memory[1].pss_kib / 1024.0,
    );
    let mut resumed = 0;
    for session in &mut parted {
        session.next_line(server.address).await?;
        while let Some(frame) = session.frame().await {
            if frame["type"] == "session" {
                resumed += usize::from(frame["resumed"] == true);
                break;
            }
        }
    }
    println!("{resumed} of them came back");
    ensure!(resumed == sockets, "only {resumed} of {sockets} came back");
    Ok(())
}

//! A proxy that cuts lines at random moments, each in one of four ways.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How long a line lives, in milliseconds: so many, and at random up to as many again and more.
const LIFE_MS: (u64, u64) = (300, 5_000);
/// How long the server's side of a line that nobody reads stays open.
const HALF_OPEN: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Cuts {
    all: AtomicU64,
    half_open: AtomicU64,
}

pub struct CuttingProxy {
    pub address: SocketAddr,
    cuts: Arc<Cuts>,
}

impl CuttingProxy {
    /// A proxy before this server, which cuts no more lines once it has cut so many.
    pub async fn start(server: SocketAddr, cuts_max: u64) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, cuts) = (listener.local_addr()?, Arc::<Cuts>::default());
        let counted = Arc::clone(&cuts);
        tokio::spawn(async move {
            let mut random = 0x2545_F491_4F6C_DD1D_u64;
            while let Ok((near, _)) = listener.accept().await {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                tokio::spawn(serve(near, server, random, cuts_max, Arc::clone(&counted)));
            }
        });
        Ok(Self { address, cuts })
    }

    pub fn cuts(&self) -> u64 {
        self.cuts.all.load(Ordering::Relaxed)
    }

    pub fn half_open(&self) -> u64 {
        self.cuts.half_open.load(Ordering::Relaxed)
    }
}

async fn serve(mut near: TcpStream, server: SocketAddr, random: u64, cuts_max: u64, cuts: Arc<Cuts>) {
    let Ok(mut far) = TcpStream::connect(server).await else { return };
    let life = Duration::from_millis(LIFE_MS.0 + random % LIFE_MS.1);
    let pass = tokio::io::copy_bidirectional(&mut near, &mut far);
    let ended = if cuts.all.load(Ordering::Relaxed) < cuts_max {
        tokio::time::timeout(life, pass).await.is_ok()
    } else {
        let _ = pass.await;
        true
    };
    if ended {
        return;
    }
    cuts.all.fetch_add(1, Ordering::Relaxed);
    match random >> 62 {
        // The server learns nothing, and nobody reads what it says.
        0 => {
            cuts.half_open.fetch_add(1, Ordering::Relaxed);
            drop(near);
            tokio::time::sleep(HALF_OPEN).await;
        }
        // What is on its way in either direction is lost.
        1 => {
            let _ = near.set_zero_linger();
            let _ = far.set_zero_linger();
        }
        // What the client sent until now still arrives; it hears of nothing.
        2 => {
            let mut last = vec![0; 64 << 10];
            let count = near.try_read(&mut last).unwrap_or(0);
            let _ = far.write_all(&last[..count]).await;
        }
        // The same in the other direction.
        _ => {
            let mut last = vec![0; 64 << 10];
            let read = tokio::time::timeout(Duration::from_millis(5), far.read(&mut last)).await;
            if let Ok(Ok(count)) = read {
                let _ = near.write_all(&last[..count]).await;
            }
        }
    }
}

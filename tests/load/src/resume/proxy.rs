//! A proxy that cuts lines at random moments, each in one of four ways.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::rhythm::Rhythm;

/// How long a line lives, in milliseconds: so many, and at random up to as many again and more.
const LIFE_MS: (u64, u64) = (300, 5_000);
/// How long the server's side of a line that nobody reads stays open.
const HALF_OPEN: Duration = Duration::from_secs(20);

/// So many bytes are read at once.
const AT_ONCE: usize = 64 << 10;

#[derive(Default)]
struct Cuts {
    all: AtomicU64,
    half_open: AtomicU64,
}

impl Cuts {
    fn are_enough(&self, max: u64) -> bool {
        self.all.load(Ordering::Relaxed) >= max
    }
}

pub struct CuttingProxy {
    pub address: SocketAddr,
    cuts: Arc<Cuts>,
}

impl CuttingProxy {
    /// A proxy before this server, which cuts lines by day, and no more of them once it has cut so many.
    pub async fn start(server: SocketAddr, rhythm: Rhythm, cuts_max: u64) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, cuts) = (listener.local_addr()?, Arc::<Cuts>::default());
        let counted = Arc::clone(&cuts);
        tokio::spawn(async move {
            let mut random = 0x2545_F491_4F6C_DD1D_u64;
            while let Ok((near, _)) = listener.accept().await {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                tokio::spawn(serve(near, server, random, rhythm, cuts_max, Arc::clone(&counted)));
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

/// Bytes on their way in one direction, of which nothing is lost when the passing on is given up.
#[derive(Default)]
struct OnTheWay(Vec<u8>);

impl OnTheWay {
    /// Passes on what comes until one of the two ends.
    async fn pass(&mut self, from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) {
        loop {
            while !self.0.is_empty() {
                match to.write(&self.0).await {
                    Ok(count) if count > 0 => drop(self.0.drain(..count)),
                    _ => return,
                }
            }
            self.0.reserve(AT_ONCE);
            if !matches!(from.read_buf(&mut self.0).await, Ok(count) if count > 0) {
                return;
            }
        }
    }
}

async fn serve(mut near: TcpStream, server: SocketAddr, random: u64, rhythm: Rhythm, cuts_max: u64, cuts: Arc<Cuts>) {
    let Ok(mut far) = TcpStream::connect(server).await else { return };
    let life = Duration::from_millis(LIFE_MS.0 + random % LIFE_MS.1);
    let (mut up, mut down) = (OnTheWay::default(), OnTheWay::default());
    let is_cut = {
        let ((mut near_in, mut near_out), (mut far_in, mut far_out)) = (near.split(), far.split());
        tokio::select! {
            () = up.pass(&mut near_in, &mut far_out) => false,
            () = down.pass(&mut far_in, &mut near_out) => false,
            () = tokio::time::sleep_until(rhythm.by_day(Instant::now() + life)), if !cuts.are_enough(cuts_max) => true,
        }
    };
    if !is_cut {
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
            let _ = near.try_read_buf(&mut up.0);
            let _ = far.write_all(&up.0).await;
        }
        // The same in the other direction.
        _ => {
            let _ = tokio::time::timeout(Duration::from_millis(5), far.read_buf(&mut down.0)).await;
            let _ = near.write_all(&down.0).await;
        }
    }
}

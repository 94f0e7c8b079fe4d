//! A proxy that cuts lines at random: some at once, some so that one side learns nothing of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Bytes of the server's answer to the handshake, which comes through whole.
const HANDSHAKE_BYTES: usize = 256;

pub struct CuttingProxy {
    pub address: SocketAddr,
    pub cuts: Arc<AtomicU64>,
}

impl CuttingProxy {
    /// A proxy before this server that cuts each line once about so many bytes went to the client.
    pub async fn start(server: SocketAddr, bytes: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let cuts = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&cuts);
        tokio::spawn(async move {
            let mut random = 0x2545_F491_4F6C_DD1D_u64;
            while let Ok((near, _)) = listener.accept().await {
                // xorshift64: the same cuts at each run, as far as the bytes come the same.
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    let far = TcpStream::connect(server).await.expect("the server listens");
                    serve(near, far, HANDSHAKE_BYTES + (random % bytes) as usize, random >> 60).await;
                    counted.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        Self { address, cuts }
    }
}

/// Passes bytes on until so many went to the client; then the line ends in one of several ways.
async fn serve(mut near: TcpStream, mut far: TcpStream, mut left: usize, how: u64) {
    let (mut up, mut down) = (vec![0; 4 << 10], vec![0; 4 << 10]);
    while left > 0 {
        tokio::select! {
            read = near.read(&mut up) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => if far.write_all(&up[..count]).await.is_err() { return },
            },
            read = far.read(&mut down) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    // The last bytes may be a part of a frame.
                    let passed = count.min(left);
                    left -= passed;
                    if near.write_all(&down[..passed]).await.is_err() { return }
                }
            },
        }
    }
    match how % 4 {
        // The server learns nothing, and nobody reads what it says.
        0 => {
            drop(near);
            let mut rest = Vec::new();
            let _ = tokio::time::timeout(std::time::Duration::from_secs(30), far.read_to_end(&mut rest)).await;
        }
        // Bytes of the client that are on their way are lost as well.
        1 => {
            let _ = near.set_zero_linger();
            let _ = far.set_zero_linger();
        }
        // What the client sent until now arrives, and it hears of nothing.
        2 => {
            let count = near.try_read(&mut up).unwrap_or(0);
            let _ = far.write_all(&up[..count]).await;
        }
        _ => {}
    }
}

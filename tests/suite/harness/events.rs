//! An answer that does not end: server-sent events.

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::{Value, soon};

/// A stream that a test listens to; it ends with this value.
#[derive(Debug)]
pub struct Events {
    stream: TcpStream,
    text: String,
    /// The head of the answer.
    pub head: String,
}

impl Events {
    pub(super) async fn of(stream: TcpStream) -> Self {
        let mut events = Self { stream, text: String::new(), head: String::new() };
        let head = async {
            loop {
                if let Some((head, rest)) = events.text.split_once("\r\n\r\n") {
                    return (head.to_owned(), rest.to_owned());
                }
                assert!(events.read().await, "no head: {:?}", events.text);
            }
        };
        (events.head, events.text) = soon("the head of a stream", head).await;
        events
    }

    /// Reads what comes next; false at the end.
    async fn read(&mut self) -> bool {
        let mut bytes = [0; 4 << 10];
        let count = self.stream.read(&mut bytes).await.unwrap_or(0);
        self.text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        count > 0
    }

    /// The next of these events, by its place among the names; all others are passed over. None where the stream ends.
    async fn next_of(&mut self, names: &[&str]) -> Option<(usize, Value)> {
        // Each event is a chunk of its own, so that nothing stands within it.
        let begins: Vec<String> = names.iter().map(|name| format!("event: {name}\ndata: ")).collect();
        let found = async {
            loop {
                let found =
                    begins.iter().enumerate().filter_map(|(which, begin)| Some((self.text.find(begin)?, which)));
                if let Some((at, which)) = found.min() {
                    let from = at + begins[which].len();
                    if let Some(length) = self.text[from..].find("\n\n") {
                        let data = serde_json::from_str(&self.text[from..from + length]).expect("an event's data");
                        self.text.drain(..from + length);
                        return Some((which, data));
                    }
                }
                // The connection may stay open behind the last chunk.
                if self.text.ends_with("\n0\r\n\r\n") || !self.read().await {
                    return None;
                }
            }
        };
        soon(&format!("an event of {names:?} of a stream"), found).await
    }

    /// The next event of this name; those of other names are passed over. None where the stream ends.
    pub async fn next_or_end(&mut self, name: &str) -> Option<Value> {
        self.next_of(&[name]).await.map(|(_, data)| data)
    }

    /// The next of two kinds of events, in the order in which they come.
    pub async fn next_either(&mut self, one: &str, other: &str) -> Result<Value, Value> {
        match self.next_of(&[one, other]).await {
            Some((0, data)) => Ok(data),
            Some((_, data)) => Err(data),
            None => panic!("the stream ended before {one} and {other}"),
        }
    }

    pub async fn next(&mut self, name: &str) -> Value {
        self.next_or_end(name).await.unwrap_or_else(|| panic!("the stream ended before {name}"))
    }
}

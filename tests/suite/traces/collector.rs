//! A collector of OpenTelemetry that keeps what it is sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as OtlpValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::harness::{Value, json, soon};

/// What a span told.
#[derive(Debug, Clone)]
pub struct HeardSpan {
    pub service: Value,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub name: String,
    pub attributes: BTreeMap<String, Value>,
    /// The words of its error, where it is one.
    pub failed: Option<String>,
    pub took_ns: u64,
}

impl HeardSpan {
    fn new(service: &Value, span: Span) -> Self {
        let failed = span.status.filter(|status| status.code == 2).map(|status| status.message);
        Self {
            service: service.clone(),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            name: span.name,
            attributes: told(&span.attributes),
            failed,
            took_ns: span.end_time_unix_nano - span.start_time_unix_nano,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn told(attributes: &[KeyValue]) -> BTreeMap<String, Value> {
    let value = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(OtlpValue::StringValue(text)) => json!(text),
        Some(OtlpValue::IntValue(number)) => json!(number),
        other => panic!("no attribute of ours: {other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), value(&attribute.value))).collect()
}

/// The collector, and what came to it.
pub struct Collector {
    address: String,
    heard: Arc<Mutex<Vec<HeardSpan>>>,
    heads: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (heard, heads) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let kept = (Arc::clone(&heard), Arc::clone(&heads));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (heard, heads) = kept.clone();
                connections.spawn(serve(stream, heard, heads));
            }
        });
        Self { address, heard, heads, _serving: serving }
    }

    /// The table that has a server tell it everything.
    pub fn config(&self, more: &str) -> String {
        format!("[traces]\notlp = \"{}\"\n{more}", self.address)
    }

    pub fn heard(&self) -> Vec<HeardSpan> {
        self.heard.lock().expect("nobody panicked").clone()
    }

    /// The heads of the requests.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("nobody panicked").clone()
    }

    /// Waits for a span.
    pub async fn hears(&self, what: &str, is_it: impl Fn(&HeardSpan) -> bool) -> HeardSpan {
        let wait = async {
            loop {
                if let Some(found) = self.heard().into_iter().find(&is_it) {
                    return found;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        soon(&format!("the span of {what}"), wait).await
    }
}

/// Answers the requests of one connection.
async fn serve(mut stream: TcpStream, heard: Arc<Mutex<Vec<HeardSpan>>>, heads: Arc<Mutex<Vec<String>>>) {
    let mut bytes = Vec::new();
    loop {
        let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") else {
            match stream.read_buf(&mut bytes).await {
                Ok(1..) => continue,
                _ => return,
            }
        };
        let head = String::from_utf8(bytes.drain(..end + 4).collect()).expect("a head is text").to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        let length: usize = length.trim().parse().expect("a number");
        while bytes.len() < length {
            assert!(stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0), "a body is cut off");
        }
        let body: Vec<u8> = bytes.drain(..length).collect();
        let request = ExportTraceServiceRequest::decode(&*body).expect("spans");
        for resource in request.resource_spans {
            let service = told(&resource.resource.map(|told| told.attributes).unwrap_or_default());
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            heard
                .lock()
                .expect("nobody panicked")
                .extend(spans.map(|span| HeardSpan::new(&service["service.name"], span)));
        }
        heads.lock().expect("nobody panicked").push(head);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

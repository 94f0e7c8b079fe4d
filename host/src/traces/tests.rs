use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::*;

const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn headers(values: &[&str]) -> Vec<(String, String)> {
    values.iter().map(|value| ("traceparent".to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_request_names_its_trace_or_nothing() {
    let parent = TraceParent::of_headers(&headers(&[HEADER])).unwrap();
    assert_eq!(parent.trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!((parent.span.to_string().as_str(), parent.is_told, parent.is_remote), ("b7ad6b7169203331", true, true));
    let untold = HEADER.replace("-01", "-00");
    assert!(!TraceParent::of_headers(&headers(&[&untold])).unwrap().is_told);
    for wrong in [
        "",
        "00",
        "no-trace-at-all",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-\u{0661}af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ] {
        assert_eq!(TraceParent::of_headers(&headers(&[wrong])), None, "{wrong}");
    }
    assert_eq!(TraceParent::of_headers(&headers(&[HEADER, HEADER])), None, "two are none");
}

fn told(traces: &TenantTraces, count: usize, parent: Option<TraceParent>) -> usize {
    (0..count).filter(|_| traces.begin(parent).is_some()).count()
}

#[test]
fn a_part_of_the_traces_is_told_and_the_parents_wish_counts_where_there_is_one() {
    let sampling = |part| TenantTraces::new(Arc::new(Traces::sampling(part)), 1_000_000);
    assert_eq!([told(&sampling(0.0), 1_000, None), told(&sampling(1.0), 1_000, None)], [0, 1_000]);
    let quarter = told(&sampling(0.25), 10_000, None);
    assert!((2_000..3_000).contains(&quarter), "{quarter}");
    let parent = TraceParent::of_headers(&headers(&[HEADER])).unwrap();
    assert_eq!(told(&sampling(0.0), 10, Some(parent)), 10);
    assert_eq!(told(&sampling(1.0), 10, Some(TraceParent { is_told: false, ..parent })), 0);
}

#[test]
fn a_tenant_has_a_rate() {
    let traces = Arc::new(Traces::sampling(1.0));
    let (one, other) = (TenantTraces::new(Arc::clone(&traces), 10), TenantTraces::new(Arc::clone(&traces), 10));
    let of_one = told(&one, 1_000, None);
    assert!((10..20).contains(&of_one), "{of_one}");
    assert_eq!(traces.queue.lost(LostSpans::Rate), 1_000 - of_one as u64);
    assert_eq!(told(&other, 10, None), 10, "what one has too much is not taken from another");
}

fn tell(traces: &TenantTraces, count: usize) {
    for _ in 0..count {
        let span = traces.begin(None).unwrap();
        span.end(SpanWords { name: "turn".into(), attributes: Vec::new(), failed: None });
    }
}

#[test]
fn spans_that_nobody_takes_are_bounded_and_counted() {
    let traces = Arc::new(Traces::sampling(1.0));
    tell(&TenantTraces::new(Arc::clone(&traces), 1_000_000), 5_000);
    assert_eq!(traces.queue.lost(LostSpans::Queue), 5_000 - 4_096);
    assert_eq!(traces.queue.next_batch().unwrap().len(), 512, "and are sent in batches");
    traces.finish(Duration::ZERO);
    let mut left = 0;
    while let Some(batch) = traces.queue.next_batch() {
        left += batch.len();
    }
    assert_eq!(left, 4_096 - 512, "what waits at the end is sent yet");
}

#[test]
fn a_collector_that_never_answers_holds_nobody_up() {
    // It takes connections, as the system does for it, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let otlp = format!("http://{}/v1/traces", silent.local_addr().unwrap());
    let settings = TraceSettings { otlp, ca_file: None, sample: 1.0 };
    let traces = Traces::start(&settings, &Arc::default()).unwrap();
    let telling = TenantTraces::new(Arc::clone(&traces), 1_000_000);
    let teller = thread::spawn(move || tell(&telling, 100_000));
    teller.join().unwrap();
    assert!(traces.queue.lost(LostSpans::Queue) > 90_000);
    // The end of the server waits for as long as it says.
    traces.finish(Duration::from_millis(1));
}

//! `[traces]`: where spans for OpenTelemetry go.

use anyhow::{Context as _, ensure};
use url::Url;

use super::file::TracesTable;
use crate::traces::TraceSettings;

/// Where collectors take traces, below an address that says no more than who they are.
const TRACES_PATH: &str = "/v1/traces";

/// What the table asks for.
pub(super) fn settings(table: TracesTable) -> anyhow::Result<TraceSettings> {
    let TracesTable { otlp, ca_file, sample } = table;
    let wrong = || "traces.otlp must be the address of a collector, such as \"http://127.0.0.1:4318\"".to_owned();
    let mut address = Url::parse(&otlp).ok().with_context(wrong)?;
    let is_right = ["http", "https"].contains(&address.scheme()) && address.has_host();
    // A password would be in the log of everybody who asks; OTEL_EXPORTER_OTLP_HEADERS is for tokens.
    ensure!(is_right && address.username().is_empty() && address.password().is_none(), wrong());
    if address.path() == "/" {
        address.set_path(TRACES_PATH);
    }
    let sample = sample.unwrap_or(1.0);
    ensure!((0.0..=1.0).contains(&sample), "traces.sample must be 0 to 1, not {sample}");
    Ok(TraceSettings { otlp: address.into(), ca_file, sample })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(otlp: &str, sample: Option<f64>) -> anyhow::Result<TraceSettings> {
        settings(TracesTable { otlp: otlp.to_owned(), ca_file: None, sample })
    }

    #[test]
    fn a_collector_is_named_with_or_without_its_path() {
        for (otlp, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://collector:4318/", "http://collector:4318/v1/traces"),
            ("https://otlp.example.com/mine/v1/traces", "https://otlp.example.com/mine/v1/traces"),
        ] {
            assert_eq!(
                of(otlp, None).unwrap(),
                TraceSettings { otlp: expected.to_owned(), ca_file: None, sample: 1.0 }
            );
        }
        for wrong in ["", "collector:4318", "grpc://collector:4317", "http://", "http://me:secret@collector"] {
            let why = of(wrong, None).unwrap_err().to_string();
            assert!(why.contains("traces.otlp") && !why.contains("secret"), "{wrong}: {why}");
        }
    }

    #[test]
    fn a_part_of_the_traces_is_0_to_1() {
        assert_eq!(of("http://c", Some(0.25)).unwrap().sample, 0.25);
        for wrong in [-0.1, 1.1, f64::NAN] {
            assert!(of("http://c", Some(wrong)).unwrap_err().to_string().contains("traces.sample"), "{wrong}");
        }
    }
}

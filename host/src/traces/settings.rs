//! What the operator asks for.

use std::path::PathBuf;

/// Where spans go, and which.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceSettings {
    /// Where the collector takes traces by OTLP over HTTP.
    pub otlp: String,
    /// Whose certificates are believed, where it is not Mozilla's.
    pub ca_file: Option<PathBuf>,
    /// The part of the traces that begin here which are told of, from 0 to 1.
    pub sample: f64,
}

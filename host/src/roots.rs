//! Whose certificates a client of https believes.

use std::path::Path;

use anyhow::{Context as _, ensure};
use ureq::tls::{PemItem, RootCerts, parse_pem};

/// The certificates of a PEM file, which `setting` names; those of Mozilla where it names none.
pub fn read(setting: &str, file: Option<&Path>) -> anyhow::Result<RootCerts> {
    let Some(file) = file else { return Ok(RootCerts::WebPki) };
    let text = std::fs::read(file).with_context(|| format!("{setting}: cannot read {}", file.display()))?;
    let unreadable = || format!("{setting}: {} is not a PEM file", file.display());
    let mut certificates = Vec::new();
    for item in parse_pem(&text) {
        if let PemItem::Certificate(certificate) = item.ok().with_context(unreadable)? {
            certificates.push(certificate);
        }
    }
    ensure!(!certificates.is_empty(), "{setting}: {} holds no certificate", file.display());
    Ok(RootCerts::from(certificates))
}

//! The component of the health check, which the server assembles from text when it starts.

use anyhow::Context as _;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap};

const MODULE: &str = include_str!("probe.wat");
/// The part of the contract that the probe uses, with a world of its own.
const CONTRACT: [(&str, &str); 5] = [
    ("types.wit", include_str!("../../../wit/types.wit")),
    ("events.wit", include_str!("../../../wit/events.wit")),
    ("outbox.wit", include_str!("../../../wit/outbox.wit")),
    ("guest.wit", include_str!("../../../wit/guest.wit")),
    ("world.wit", "package parlor:room@0.1.0;\nworld probe { import events; import outbox; export guest; }"),
];

/// The event that the probe echoes.
pub const EVENT: &str = "say";

/// Assembles the component.
pub fn component() -> anyhow::Result<Vec<u8>> {
    let mut module = wat::parse_str(MODULE).context("the probe's text")?;
    let mut files = SourceMap::default();
    CONTRACT.into_iter().for_each(|(name, text)| files.push_str(name, text));
    let contract = files.parse().map_err(|(_, why)| anyhow::anyhow!("the contract: {why}"))?;
    let mut resolve = Resolve::default();
    let package = resolve.push_group(contract).context("the contract")?;
    let world = resolve.select_world(&[package], Some("probe")).context("the probe's world")?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
        .context("the probe's module")?;
    ComponentEncoder::default().module(&module).and_then(|encoder| encoder.encode()).context("the probe")
}

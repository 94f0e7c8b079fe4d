//! Which of the host's lines about a plugin come into the operator's log. Guests and clients provoke them: a turn that
//! fails is a line.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use super::Tenants;
use super::log::LineFrom;

/// The target of the lines that guests write. `guest` charges them itself.
pub const GUEST_TARGET: &str = "guest";

/// Whether a line comes into the operator's log. One that names a plugin is charged to it.
pub fn admits(tenants: &Tenants, event: &Event<'_>) -> bool {
    let metadata = event.metadata();
    let names = |name| metadata.fields().field(name).is_some();
    if metadata.target() == GUEST_TARGET || !names("tenant") || !names("plugin") {
        return true;
    }
    let mut line = LineFields::default();
    event.record(&mut line);
    let Some(totals) = tenants.known_totals(&line.tenant, &line.plugin) else { return true };
    let is_admitted = totals.log.admits(LineFrom::Host, line.bytes);
    // Verdicts on a whole plugin are rare, and the operator has to see them.
    is_admitted || (*metadata.level() == Level::ERROR && !names("room"))
}

/// What a line says, and how long it is.
#[derive(Debug, Default)]
struct LineFields {
    tenant: String,
    plugin: String,
    bytes: usize,
}

impl Visit for LineFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "tenant" => value.clone_into(&mut self.tenant),
            "plugin" => value.clone_into(&mut self.plugin),
            _ => {}
        }
        self.bytes += field.name().len() + value.len();
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.bytes += field.name().len();
        // It only counts, which cannot fail.
        let _ = write!(self, "{value:?}");
    }
}

impl fmt::Write for LineFields {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes += text.len();
        Ok(())
    }
}

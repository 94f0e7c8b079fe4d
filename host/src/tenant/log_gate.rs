//! Which of the host's lines about a plugin come into the operator's log. Guests and clients provoke them: a turn that
//! fails is a line.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use serde_json::json;

use super::Tenants;
use super::log::LineFrom;
use crate::clock::unix_ms;
use crate::live::{About, Live, Topic};

/// The target of the lines that guests write. `guest` charges them itself.
pub const GUEST_TARGET: &str = "guest";
/// The fields whose words are of the machine, as paths and errors of the system are: the operator alone sees them.
const OF_MACHINE: [&str; 2] = ["file", "cause"];
/// The target of lines that say who changed what by hand. No rate keeps one of them out of the log.
pub const AUDIT_TARGET: &str = "audit";

/// Whether a line comes into the operator's log. One that names a plugin is charged to it.
pub fn admits(tenants: &Tenants, event: &Event<'_>) -> bool {
    let metadata = event.metadata();
    let names = |name| metadata.fields().field(name).is_some();
    if [GUEST_TARGET, AUDIT_TARGET].contains(&metadata.target()) || !names("tenant") || !names("plugin") {
        return true;
    }
    let mut line = LineFields::default();
    event.record(&mut line);
    let Some(totals) = tenants.known_totals(&line.tenant, &line.plugin) else { return true };
    let is_admitted = totals.log.admits(LineFrom::Host, line.bytes);
    // Verdicts on a whole plugin are rare, and the operator has to see them.
    is_admitted || (*metadata.level() == Level::ERROR && !names("room"))
}

/// Shows a line of the host to those who watch the log. What guests write is shown where it is kept.
pub fn show(live: &Live, event: &Event<'_>) {
    if event.metadata().target() == GUEST_TARGET || !live.is_heard() {
        return;
    }
    let mut words = LineWords::default();
    event.record(&mut words);
    let LineWords { tenant, plugin, room, version, line, more, of_machine } = words;
    let about = About { tenant: tenant.as_deref(), plugin: plugin.as_deref(), room: room.as_deref() };
    let level = event.metadata().level().as_str().to_ascii_lowercase();
    live.tell_apart(Topic::Log, about, |is_operator| {
        let line = format!("{line}{more}{}", if is_operator { &*of_machine } else { "" });
        let line = &line[..line.floor_char_boundary(SHOWN_BYTES)];
        json!({
            "time": unix_ms(), "tenant": tenant, "plugin": plugin, "room": room, "version": version, "level": level,
            "line": line, "from": "host",
        })
    });
}

/// The most bytes of a line of the host that are shown.
const SHOWN_BYTES: usize = 2 << 10;

/// What a line says, for people.
#[derive(Debug, Default)]
struct LineWords {
    tenant: Option<String>,
    plugin: Option<String>,
    room: Option<String>,
    version: Option<String>,
    line: String,
    /// The other fields, each with its name.
    more: String,
    /// Those that tenants do not see.
    of_machine: String,
}

impl Visit for LineWords {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "tenant" => self.tenant = Some(value.to_owned()),
            "plugin" => self.plugin = Some(value.to_owned()),
            "room" => self.room = Some(value.to_owned()),
            "version" => self.version = Some(value.to_owned()),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into text cannot fail.
        let _ = match field.name() {
            "message" => write!(self.line, "{value:?}"),
            // `%` and `?` come here as well, with the words that they stand for.
            "tenant" => return self.tenant = Some(format!("{value:?}")),
            "plugin" => return self.plugin = Some(format!("{value:?}")),
            "room" => return self.room = Some(format!("{value:?}")),
            "version" => return self.version = Some(format!("{value:?}")),
            name if OF_MACHINE.contains(&name) => write!(self.of_machine, " {name}={value:?}"),
            name => write!(self.more, " {name}={value:?}"),
        };
    }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt as _;
    use tracing::Subscriber;
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

    use super::*;
    use crate::live::{Interest, LiveListener};
    use crate::model::names::TenantName;

    struct ShownLines(Arc<Live>);

    impl<S: Subscriber> Layer<S> for ShownLines {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            show(&self.0, event);
        }
    }

    #[test]
    fn a_tenant_sees_nothing_of_the_machine_in_the_lines_about_it() {
        let (live, acme) = (Arc::new(Live::default()), TenantName::new("acme").unwrap());
        let interest = Interest { topics: vec![Topic::Log], tenant: Some(acme.clone()), plugin: None, room: None };
        let [tenant, operator] = [LiveListener::Tenant(acme), LiveListener::Operator]
            .map(|listener| live.listen(listener, interest.clone()).unwrap());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(ShownLines(Arc::clone(&live))), || {
            let (tenant, file, why) = ("acme", std::path::Path::new("/srv/tapes"), "Permission denied");
            tracing::error!(tenant, older = 7, file = %file.display(), cause = why, "a tape cannot be kept");
        });
        let line = |reader: &crate::live::LiveReader| {
            let event = reader.next().now_or_never().flatten().expect("a line");
            let data = event.strip_prefix(b"event: log\ndata: ").expect("a line of the log");
            let line: serde_json::Value = serde_json::from_slice(data).unwrap();
            line["line"].as_str().expect("text").to_owned()
        };
        assert_eq!(line(&tenant), "a tape cannot be kept older=7");
        assert_eq!(line(&operator), "a tape cannot be kept older=7 file=/srv/tapes cause=\"Permission denied\"");
    }
}

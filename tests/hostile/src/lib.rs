//! Hostile components, one behaviour each, made at run time out of WebAssembly text. Most are the smallest plugin with
//! mischief at one of its markers; some are files that are no plugins at all.
//!
//! The test suite asks whether each is stopped; the load program asks what it does to others meanwhile.

mod bombs;
mod calls;
mod companions;
mod component;
mod files;
mod hooks;
mod loops;
mod memory;
mod snippets;

pub use component::{bare, bare_text, component_of, with_core_instances};

/// One hostile component.
#[derive(Clone, Copy)]
pub struct Hostile {
    /// Its name, which can be a plugin's as well.
    pub name: &'static str,
    /// What it does.
    pub what: &'static str,
    /// When it does it.
    pub when: When,
    /// The event that makes it act.
    pub event: &'static str,
    /// Bytes of text in that event.
    pub payload_bytes: usize,
    /// Whether the host has to stop it. Where not, it only takes its time and its space.
    pub must_stop: bool,
    make: fn(&Plan) -> Vec<u8>,
}

/// When a component acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At an event of a client.
    Event,
    /// When somebody connects.
    Connect,
    /// When an instance is made, from the time that its [`Plan`] says; before it the file loads and serves.
    Open,
    /// When its file is loaded.
    Load,
    /// When its file is compiled.
    Compile,
}

/// What a component is told when it is made.
pub struct Plan {
    /// The time, in milliseconds since the Unix epoch, until which [`When::Open`] behaves.
    pub quiet_until_ms: f64,
}

impl Hostile {
    /// One that acts at the event `say` and has to be stopped.
    const fn new(name: &'static str, what: &'static str, make: fn(&Plan) -> Vec<u8>) -> Self {
        Self { name, what, when: When::Event, event: "say", payload_bytes: 16, must_stop: true, make }
    }

    const fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    const fn payload(mut self, bytes: usize) -> Self {
        self.payload_bytes = bytes;
        self
    }

    const fn event(mut self, event: &'static str) -> Self {
        self.event = event;
        self
    }

    const fn bearable(mut self) -> Self {
        self.must_stop = false;
        self
    }

    /// The file.
    pub fn bytes(&self, plan: &Plan) -> Vec<u8> {
        (self.make)(plan)
    }
}

/// All of them.
pub fn all() -> Vec<Hostile> {
    [loops::LIST, memory::LIST, hooks::LIST, calls::LIST, files::LIST, bombs::LIST].concat()
}

/// The one of this name, those included that only clients misuse.
pub fn find(name: &str) -> Option<Hostile> {
    all().into_iter().chain(companions::LIST.iter().copied()).find(|hostile| hostile.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_and_can_be_made() {
        let mut names = BTreeSet::new();
        for hostile in all().into_iter().chain(companions::LIST.iter().copied()) {
            assert!(names.insert(hostile.name), "{} twice", hostile.name);
            let is_plain = |letter: char| letter.is_ascii_lowercase() || letter == '-';
            assert!(hostile.name.chars().all(is_plain), "{} is no plugin's name", hostile.name);
            let bytes = hostile.bytes(&Plan { quiet_until_ms: 0.0 });
            if !matches!(hostile.when, When::Load) {
                assert!(bytes.starts_with(b"\0asm\x0d\0\x01\0"), "{} is no component", hostile.name);
            }
        }
    }
}

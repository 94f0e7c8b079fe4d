//! The language-neutral cases that every SDK of Parlor passes: how they are written, and how one is run. `README.md` says
//! what each step means; what a runner differs in is a [`Place`].
#![deny(missing_docs)]

mod case;
#[path = "../../../host/src/harness/compare.rs"]
mod compare;
mod run;

pub use case::{Answer, Case, Closing, Connect, Do, Leaving, Refused, Request, Step, cases, written};
pub use compare::{matches, stored_as_written};
pub use run::{Address, Place, Refusal, run};

/// What is wrong with a value, if something is; `what` says which value it is.
pub fn differs(what: &str, expected: &serde_json::Value, found: &serde_json::Value) -> Result<(), String> {
    compare::differs(expected, found).map_err(|why| format!("{what}: {why}"))
}

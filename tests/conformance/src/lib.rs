//! The language-neutral cases that every SDK of Parlor passes: how they are written, and how one is run. `README.md` says
//! what each step means; what a runner differs in is a [`Place`].
#![deny(missing_docs)]

mod case;
mod compare;
mod run;

pub use case::{
    Answer, Case, Closing, Connect, Do, Leaving, Refused, Request, Step, cases, stored_as_written, written,
};
pub use compare::{differs, matches};
pub use run::{Address, Place, Refusal, run};

//! The harness: the server's own room in this process, with sockets in memory, a clock that stands still between two steps,
//! and randomness from a seed. `docs/authors/harness.md` says what each step means.

mod compare;
mod dispatch;
mod failing;
mod heard;
mod idle;
mod inbox;
mod line;
mod opening;
mod options;
mod outcome;
mod peer;
mod session;
mod settings;
pub mod simulation;
mod step;
mod verbs;
mod world;

pub use heard::HEARD;
pub use line::{StepAnswer, parse};
pub use options::HarnessOptions;
pub use session::Harness;
pub use settings::without_rates;

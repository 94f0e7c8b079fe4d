//! Plugins in Python: what of the language a room has, what authors read when something goes wrong, and their projects.

mod faults;
mod library;
mod page;
mod projects;

use crate::harness::{Client, Value};
use crate::language::request;

/// Sends an event that is acknowledged; answers the data of the acknowledgement.
async fn answer(client: &mut Client, event: &str, data: Value) -> Value {
    request(client, event, data).await["data"].take()
}

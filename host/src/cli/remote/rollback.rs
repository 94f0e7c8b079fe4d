//! `parlor rollback`: lets an older version serve again.

use serde::Deserialize;
use serde_json::json;

use super::arguments::{RollbackArgs, plugin_key_of};
use super::client::ApiClient;
use crate::cli::print::print;
use crate::model::text::printable;

#[derive(Deserialize)]
struct RolledBack {
    version: String,
    path: String,
    unchanged: bool,
    /// What else there is to know; an older server has no such words.
    #[serde(default)]
    note: Option<String>,
}

pub fn rollback(args: &RollbackArgs) -> anyhow::Result<()> {
    let key = plugin_key_of(&args.plugin)?;
    let path = format!("/_parlor/api/plugins/{}/{}/rollback", key.tenant, key.plugin);
    let said = ApiClient::new(&args.remote)?.post(&path, &json!({ "version": args.version }))?;
    let RolledBack { version, path, unchanged, note } = serde_json::from_value(said)?;
    let words = if unchanged { "serves already" } else { "serves" };
    let note = note.map(|note| format!("{key}: {}\n", printable(&note))).unwrap_or_default();
    print(&format!("{key}: version {version} {words} at {path}\n{note}"))
}

//! Node's socket.io as one of the servers.

use std::path::Path;

use anyhow::{Context, ensure};

use super::dialect::Dialect;
use super::parlor::Scratch;
use super::server::Recipe;

/// How the server of `folder` is started, with its packages installed.
pub fn recipe(node: &Path, folder: &Path, scratch: &Scratch) -> anyhow::Result<Recipe> {
    let folder = folder.canonicalize().with_context(|| format!("find {}", folder.display()))?;
    let installed = folder.join("node_modules/socket.io").exists();
    ensure!(installed, "socket.io is not installed in {}: run `npm ci` there", folder.display());
    Ok(Recipe {
        name: "socket.io".to_owned(),
        program: node.to_owned(),
        arguments: vec![folder.join("server.js").into()],
        log: scratch.path().join("socketio.log"),
        dialect: Dialect::SocketIo,
    })
}

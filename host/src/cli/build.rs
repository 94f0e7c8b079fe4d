//! `parlor build`: from plugin projects to components.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::project::{self, Project};

/// Builds every project of a folder, or the folder itself where it is one, and puts the components into `out`.
pub fn build(folder: &Path, out: &Path) -> anyhow::Result<()> {
    let folders = project::folders(folder)?;
    ensure!(!folders.is_empty(), "there is no plugin project in {}: no folder with a Cargo.toml", folder.display());
    project::require_target()?;
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    for (index, folder) in folders.iter().enumerate() {
        eprintln!("building {} ({} of {})", folder.display(), index + 1, folders.len());
        let project = Project::read(folder)?;
        if !project.cargo().status().context("cannot run cargo")?.success() {
            bail!("{} did not build; the compiler's words are above", project.manifest().display());
        }
        project.install(&project.component()?, out)?;
    }
    Ok(())
}

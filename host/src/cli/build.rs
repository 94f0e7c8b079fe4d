//! `parlor build`: from plugin projects to components.

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::arguments::BuildCommandArgs;
use super::print::note;
use super::project::{self, BuildVoice, FoundProjects, Project};

/// Builds every project of a folder, or the one project that `place` is, and puts the components into `out`. A project that
/// fails does not keep the others from being built.
pub fn build(args: &BuildCommandArgs) -> anyhow::Result<()> {
    let (place, out) = (&args.build.place(), &args.build.out);
    let found = project::find(place)?;
    ensure!(!found.places.is_empty(), found.nothing(place));
    let FoundProjects { places, skipped } = found;
    for (folder, why) in skipped {
        note(&format!("{} is skipped: {why}", folder.display()));
    }
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    let mut failed = Vec::new();
    for (index, place) in places.iter().enumerate() {
        note(&format!("building {} ({} of {})", place.display(), index + 1, places.len()));
        if let Err(why) = build_one(place, out, args.dev) {
            // The error of a single project is told below.
            if places.len() > 1 {
                note(&format!("{}: {why:#}", place.display()));
            }
            failed.push((place.display().to_string(), why));
        }
    }
    match &failed[..] {
        [] => Ok(()),
        [(place, why)] if places.len() == 1 => bail!("{place}: {why:#}"),
        _ => {
            let names: Vec<&str> = failed.iter().map(|(place, _)| place.as_str()).collect();
            bail!("{} of {} projects did not build: {}", failed.len(), places.len(), names.join(", "))
        }
    }
}

fn build_one(place: &Path, out: &Path, dev: bool) -> anyhow::Result<()> {
    let project = Project::read(place)?;
    let _turn = project.take_turn(|| note(&format!("{}: waiting for another build of it", project.name)))?;
    let mut steps = project.steps(BuildVoice { colours: std::io::stderr().is_terminal(), quiet: false, dev });
    while let Some(mut step) = steps.next()? {
        if let Some(says) = &step.says {
            note(&format!("{}: {says}", project.name));
        }
        let program = step.command.get_program().to_string_lossy().into_owned();
        let status = step.command.status().with_context(|| format!("cannot run {program}"))?;
        ensure!(status.success(), "{program} failed; its output above says why");
    }
    project.install(&project.component()?, out)
}

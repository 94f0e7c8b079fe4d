//! `parlor new`: a plugin project that builds, with tests that pass.

mod c;
mod go;
mod python;
mod rust;
mod typescript;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::arguments::{NewArgs, PluginLanguage};
use super::print::print;
use super::sdk;
use crate::model::names::PluginName;

/// A file of a template: where it goes, and its text with `{{name}}` in it, and `{{crate}}`, which is the name with `_` for
/// each `-`.
type TemplateFile = (&'static str, &'static str);

/// What a new project in a language is made of.
struct NewLanguage {
    /// The language's name for people.
    called: &'static str,
    /// The command that runs the project's tests.
    test: &'static str,
    files: &'static [TemplateFile],
    /// Says why a plugin's name cannot be the name of a project in this language.
    check_name: fn(&str) -> anyhow::Result<()>,
    /// Adds what is more than templates, such as the SDK, to the project's folder.
    finish: fn(&Path, &PluginName) -> anyhow::Result<()>,
}

fn language(lang: PluginLanguage) -> &'static NewLanguage {
    match lang {
        PluginLanguage::Rust => &rust::LANGUAGE,
        PluginLanguage::TypeScript => &typescript::LANGUAGE,
        PluginLanguage::C => &c::LANGUAGE,
        PluginLanguage::Go => &go::LANGUAGE,
        PluginLanguage::Python => &python::LANGUAGE,
    }
}

pub(super) fn new(args: &NewArgs) -> anyhow::Result<()> {
    let name = PluginName::new(&args.name).with_context(|| format!("{:?} cannot be the name", args.name))?;
    let language = language(args.lang);
    (language.check_name)(name.as_str())?;
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
        fs::create_dir_all(above).with_context(|| format!("cannot make the folder {}", above.display()))?;
    }
    match fs::create_dir(&folder) {
        Err(why) if why.kind() == ErrorKind::AlreadyExists => {
            bail!("{} is there already; name another folder: `parlor new {name} --lang ... DIR`", folder.display())
        }
        made => made.with_context(|| format!("cannot make the folder {}", folder.display()))?,
    }
    write(&folder, language, &name).inspect_err(|_| drop(fs::remove_dir_all(&folder)))?;
    print(&next(&folder, language, &name))
}

fn write(folder: &Path, language: &NewLanguage, name: &PluginName) -> anyhow::Result<()> {
    for (file, text) in language.files {
        let text = text.replace("{{name}}", name.as_str()).replace("{{crate}}", &name.as_str().replace('-', "_"));
        sdk::write(folder, &[(file, &text)])?;
    }
    (language.finish)(folder, name)
}

/// Tells the user what to do next.
fn next(folder: &Path, language: &NewLanguage, name: &PluginName) -> String {
    let rows = [
        (format!("cd {}", folder.display()), ""),
        ("parlor dev".to_owned(), "build and serve it, again at each save; open the page that it names"),
        (language.test.to_owned(), "its tests, without a server"),
        ("parlor build --out dist".to_owned(), "a component for a server's folder of plugins"),
    ];
    let mut text = format!("made {name}, a plugin in {}. Next:\n", language.called);
    for (command, what) in rows {
        let line = format!("  {command:<24}{}{what}", if what.is_empty() { "" } else { " # " });
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

//! The language and the compiler of a component, as its `producers` section says, or as the names of its modules show.
//! Anybody can write anything there, so the host only shows it to people.

use wasmparser::{KnownCustom, Parser, Payload, ProducersSectionReader};

use crate::model::text::printable;

/// How many bytes of a tool's name are shown.
const SHOWN_BYTES: usize = 40;
/// How many languages are shown at most.
const LANGUAGES_MAX: usize = 4;

/// What stands in the names of a component's modules whose language no section tells: that of CPython's own library.
const LIBRARIES: [(&str, &str); 1] = [("libpython", "Python")];
/// The section with these names.
const NAMES_SECTION: &str = "component-name";

/// Says what a component is made with, such as `Rust, C11 (rustc 1.95.0)`; `None` if the component does not say. Its
/// own section counts first, then that of the first of its modules that has one, then its modules' names.
pub fn made_with(bytes: &[u8]) -> Option<String> {
    let mut depth = 0usize;
    let (mut of_a_module, mut of_a_library) = (None, None);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) => {
                if depth == 1 && section.name() == NAMES_SECTION {
                    of_a_library = library_in(section.data());
                }
                let KnownCustom::Producers(section) = section.as_known() else { continue };
                let Some(words) = words_of(section) else { continue };
                if depth == 1 {
                    return Some(words);
                }
                of_a_module.get_or_insert(words);
            }
            _ => {}
        }
    }
    of_a_module.or(of_a_library)
}

/// The language whose library has its name in a section.
fn library_in(names: &[u8]) -> Option<String> {
    let is_named = |library: &str| names.windows(library.len()).any(|name| name == library.as_bytes());
    LIBRARIES.iter().find(|(library, _)| is_named(library)).map(|(_, language)| (*language).to_owned())
}

/// Formats a section; `None` if it names no language.
fn words_of(section: ProducersSectionReader<'_>) -> Option<String> {
    let mut languages = Vec::new();
    let mut tool = None;
    for field in section.into_iter().flatten() {
        for value in field.values.into_iter().flatten() {
            match field.name {
                "language" if languages.len() < LANGUAGES_MAX => languages.push(shown(value.name)),
                "processed-by" if tool.is_none() => {
                    let version = value.version.split(' ').next().unwrap_or_default();
                    tool = Some(format!(" ({} {})", shown(value.name), shown(version)));
                }
                _ => {}
            }
        }
    }
    (!languages.is_empty()).then(|| languages.join(", ") + &tool.unwrap_or_default())
}

fn shown(name: &str) -> String {
    let end = name.floor_char_boundary(SHOWN_BYTES);
    printable(&name[..end])
}

#[cfg(test)]
mod tests {
    use super::made_with;

    /// A section `producers` with fields of one value each.
    fn section(fields: &[(&str, &str, &str)]) -> String {
        let text = |bytes: &str| format!("\\{:02x}{bytes}", bytes.len());
        let fields: Vec<String> =
            fields.iter().map(|(field, name, version)| text(field) + "\\01" + &text(name) + &text(version)).collect();
        format!("(@custom \"producers\" \"\\{:02x}{}\")", fields.len(), fields.concat())
    }

    fn of(wat: &str) -> Option<String> {
        made_with(&wat::parse_str(wat).unwrap())
    }

    #[test]
    fn the_component_counts_before_its_modules_and_the_first_of_those() {
        let rust = section(&[("language", "Rust", ""), ("processed-by", "rustc", "1.95.0 (59807616e 2026-04-14)")]);
        let script = section(&[("language", "TypeScript", ""), ("processed-by", "tool", "1")]);
        let linker = section(&[("processed-by", "linker", "2")]);
        let module = |section: &str| format!("(core module {section})");
        let modules = module(&linker) + &module(&rust) + &module(&script);
        assert_eq!(of(&format!("(component {modules})")).as_deref(), Some("Rust (rustc 1.95.0)"));
        assert_eq!(of(&format!("(component {modules} {script})")).as_deref(), Some("TypeScript (tool 1)"));
        assert_eq!(of(&format!("(component {})", module(&linker))), None);
    }

    #[test]
    fn what_makes_no_sense_is_no_answer() {
        assert_eq!(of("(component (@custom \"producers\" \"\\ff\\ff\"))"), None);
        assert_eq!(made_with(b"no component"), None);
        let long = section(&[("language", &"l".repeat(90), "")]);
        assert_eq!(of(&format!("(component {long})")).map(|words| words.len()), Some(super::SHOWN_BYTES));
    }
    #[test]
    fn python_is_known_by_its_library() {
        let names = "(@custom \"component-name\" \"\\01\\00\\10libpython3.14.so\")";
        let linker = section(&[("processed-by", "linker", "2")]);
        assert_eq!(of(&format!("(component {linker} {names})")).as_deref(), Some("Python"));
        let said = section(&[("language", "Python", "3.14"), ("processed-by", "componentize-py", "0.25.1")]);
        assert_eq!(of(&format!("(component {names} {said})")).as_deref(), Some("Python (componentize-py 0.25.1)"));
        assert_eq!(of(&format!("(component (component {names}))")), None);
    }
}

//! No circle of files: whoever reads a file and follows what it uses never comes back to it.
//!
//! An arrow goes from a file to each file whose items it names by `crate::`, `super::` or a module of its own. What a module
//! only hands on (`pub use`) counts as its maker's. A module's declaration is no arrow.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, assert_tidy, sources, without_comment};

/// A module's path below its crate: `["room", "actor"]`.
type Module = Vec<String>;
/// A path as code names it: `["super", "gate", "Gate"]`.
type Named = Vec<String>;

/// The files of one crate, by module, each without its tests.
struct Crate {
    texts: BTreeMap<Module, String>,
}

impl Crate {
    fn of(root: &str, sources: &[Source]) -> Self {
        let texts = sources.iter().filter_map(|Source { path, text }| {
            let inner = path.strip_prefix(root)?.strip_suffix(".rs")?;
            let mut module: Module = inner.split('/').map(str::to_owned).collect();
            if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
                module.pop();
            }
            (module != ["main"]).then(|| (module, program_text(text)))
        });
        Self { texts: texts.collect() }
    }

    /// The files that make what a file names so: two where it is one thing on one platform and another on the next. None
    /// where no file of the crate makes it.
    fn makers(&self, from: &Module, named: &Named, depth: usize) -> BTreeSet<Module> {
        let mut rest = named.iter().peekable();
        let mut module = from.clone();
        match named[0].as_str() {
            "crate" => {
                module.clear();
                rest.next();
            }
            "super" => {
                while rest.next_if(|part| *part == "super").is_some() {
                    module.pop();
                }
            }
            "self" => drop(rest.next()),
            _ if !self.texts.contains_key(&child(&module, &named[0])) => return BTreeSet::new(),
            _ => {}
        }
        while let Some(part) = rest.next_if(|part| self.texts.contains_key(&child(&module, part))) {
            module.push(part.clone());
        }
        let Some(text) = self.texts.get(&module) else { return BTreeSet::new() };
        let Some(item) = rest.next().filter(|_| depth > 0) else { return BTreeSet::from([module]) };
        let handed_on = handed_on(text).into_iter().filter(|path| path.last() == Some(item));
        let makers: BTreeSet<Module> = handed_on.flat_map(|path| self.makers(&module, &path, depth - 1)).collect();
        if makers.is_empty() { BTreeSet::from([module]) } else { makers }
    }

    fn arrows(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        const HANDED_ON_AT_MOST: usize = 5;
        let of = |(module, text): (_, &String)| {
            let named = named_by(text);
            let made = named.iter().flat_map(|path| self.makers(module, path, HANDED_ON_AT_MOST));
            // The crate's root declares what there is.
            (module, made.filter(|maker| maker != module && !maker.is_empty()).collect())
        };
        self.texts.iter().map(of).collect()
    }
}

fn child(module: &[String], name: &str) -> Module {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

/// A file's code without comments, and without the tests at its end.
fn program_text(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(without_comment).collect();
    let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests {"));
    lines[..tests.unwrap_or(lines.len())].join("\n")
}

/// The trees of the `use` lines that begin with these words, and what is between them.
fn use_trees(text: &str, only_public: bool) -> Vec<&str> {
    let begins = |line: &str| {
        let line = line.trim_start();
        let public = line.starts_with("pub");
        let rest = if public { line.split_once(' ').map_or("", |(_, rest)| rest) } else { line };
        rest.starts_with("use ") && (public || !only_public)
    };
    let mut trees = Vec::new();
    let mut place = 0;
    for line in text.split_inclusive('\n') {
        if begins(line) {
            let tree = text[place..].split_once("use ").map_or("", |(_, rest)| rest);
            trees.push(tree.split(';').next().unwrap_or_default());
        }
        place += line.len();
    }
    trees
}

/// The paths of a `use` tree.
fn paths_of(tree: &str, before: &[String], paths: &mut Vec<Named>) {
    let tree = tree.trim();
    if let Some(group) = tree.strip_prefix('{') {
        let (mut depth, mut start) = (0usize, 0);
        for (place, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    paths_of(&group[start..place], before, paths);
                    start = place + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let (head, rest) = tree.split_once("::").map_or((tree, None), |(head, rest)| (head, Some(rest)));
    let head = head.split_whitespace().next().unwrap_or_default();
    if head.is_empty() {
        return;
    }
    let here: Named = before.iter().cloned().chain([head.to_owned()]).collect();
    match rest {
        Some(rest) => paths_of(rest, &here, paths),
        None => paths.push(here),
    }
}

/// What a module hands on to whoever uses it.
fn handed_on(text: &str) -> Vec<Named> {
    let mut paths = Vec::new();
    use_trees(text, true).into_iter().for_each(|tree| paths_of(tree, &[], &mut paths));
    paths
}

/// All paths that a file names: those of its `use` lines, and those that stand in its code.
fn named_by(text: &str) -> Vec<Named> {
    let mut paths = Vec::new();
    use_trees(text, false).into_iter().for_each(|tree| paths_of(tree, &[], &mut paths));
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':';
    // A visibility is no use.
    let text = text.replace("pub(in crate::", "pub(in ");
    for word in text.split(|letter| !is_part(letter)) {
        // Before a group of a `use` line the path is not at its end, and that line is read above.
        if !word.ends_with("::") && (word.starts_with("crate::") || word.starts_with("super::")) {
            paths.push(word.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect());
        }
    }
    paths
}

/// A way from a file back to itself, by the shortest arrows; none where there is none.
fn way_back(arrows: &BTreeMap<&Module, BTreeSet<Module>>, start: &Module) -> Option<Vec<Module>> {
    let mut came_from: BTreeMap<Module, Module> = BTreeMap::new();
    let mut edge = vec![start.clone()];
    while !edge.is_empty() {
        let mut next = Vec::new();
        for from in edge {
            for to in arrows.get(&from).into_iter().flatten() {
                if to == start {
                    let mut way = vec![start.clone(), from.clone()];
                    while let Some(before) = came_from.get(way.last()?) {
                        way.push(before.clone());
                    }
                    way.reverse();
                    return Some(way);
                }
                if !came_from.contains_key(to) {
                    came_from.insert(to.clone(), from.clone());
                    next.push(to.clone());
                }
            }
        }
        edge = next;
    }
    None
}

fn check(root: &str, sources: &[Source]) -> Vec<String> {
    let files = Crate::of(root, sources);
    let arrows = files.arrows();
    let mut complaints = BTreeSet::new();
    for module in arrows.keys() {
        let Some(mut way) = way_back(&arrows, module) else { continue };
        way.pop();
        // Told once, from its first file in the alphabet.
        let first = (0..way.len()).min_by_key(|place| &way[*place]).unwrap_or_default();
        way.rotate_left(first);
        way.push(way[0].clone());
        let names: Vec<String> = way.iter().map(|module| module.join("/")).collect();
        complaints.insert(format!("{root}: {}", names.join(" -> ")));
    }
    complaints.into_iter().collect()
}

#[test]
fn no_file_leads_back_to_itself() {
    for root in ["host/src", "guest-sdk/rust/src"] {
        assert_tidy(&check(&format!("{root}/"), &sources(&[root], &[".rs"])));
    }
}

#[test]
fn a_circle_is_found_and_named() {
    let bad = [
        Source::sample("s/lib.rs", "pub mod a;\nmod b;\n"),
        Source::sample("s/a/mod.rs", "mod c;\nmod d;\nuse c::C;\nfn f() {\n    crate::b::g()\n}\n"),
        Source::sample("s/a/c.rs", "use super::{\n    d::{D, E},\n    f,\n};\n"),
        Source::sample("s/a/d.rs", "// use super::c;\nstruct D;\n"),
        Source::sample("s/b.rs", "fn g() {}\n#[cfg(test)]\nmod tests {\n    use crate::a;\n}\n"),
    ];
    assert_eq!(check("s/", &bad), ["s/: a -> a/c -> a"]);
    let longer = [
        Source::sample("s/x.rs", "use crate::y::Y;\n"),
        Source::sample("s/y.rs", "use crate::z::Z;\n"),
        Source::sample("s/z.rs", "fn f() -> crate::x::X {}\n"),
    ];
    assert_eq!(check("s/", &longer), ["s/: x -> y -> z -> x"]);
}

#[test]
fn what_a_module_only_hands_on_makes_no_circle() {
    let good = [
        Source::sample("s/a/mod.rs", "mod b;\nmod c;\npub use b::B;\npub(crate) use c::{C, D as E};\n"),
        Source::sample("s/a/b.rs", "pub(in crate::a) struct B;\n"),
        Source::sample("s/a/c.rs", "use super::B;\nuse crate::a::b;\n"),
    ];
    assert_tidy(&check("s/", &good));
}

#[test]
fn what_stands_for_one_thing_on_two_platforms_leads_to_both() {
    let bad = [
        Source::sample("s/lib.rs", "mod clock;\nmod fake;\nmod wasm;\nmod zone;\npub use zone::Zone;\n"),
        Source::sample(
            "s/clock.rs",
            "#[cfg(wasm)]\npub(crate) use crate::wasm::now;\n#[cfg(not(wasm))]\npub(crate) use crate::fake::now;\n",
        ),
        Source::sample("s/fake.rs", "use crate::Zone;\n"),
        Source::sample("s/wasm.rs", "pub(crate) fn now() {}\n"),
        Source::sample("s/zone.rs", "use crate::clock::now;\n"),
    ];
    assert_eq!(check("s/", &bad), ["s/: fake -> zone -> fake"]);
}

#[test]
fn a_group_of_brothers_is_no_arrow_to_their_mother() {
    let good = [
        Source::sample(
            "s/a/mod.rs",
            "mod b;\nmod c;\nmod d;\npub use self::{b::B, c::C};\nfn f() -> b::B {}\nuse c::C;\n",
        ),
        Source::sample("s/a/b.rs", "use super::{c::C, d};\n"),
        Source::sample("s/a/c.rs", "use super::{\n    d::{D, E},\n};\n"),
        Source::sample("s/a/d.rs", "struct D;\n"),
    ];
    assert_tidy(&check("s/", &good));
}

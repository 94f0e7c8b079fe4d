//! The contract as its real parser reads it: every item documented, and in the shape that the generators of all
//! languages bind.

use wit_parser::{Docs, FunctionKind, Resolve, Type, TypeDef, TypeDefKind, WorldItem};

use super::{Source, assert_tidy, sources};

/// Names that are words of the generated code in one language or another.
const NAMES_TAKEN: [&str; 5] = ["err", "none", "ok", "result", "some"];

fn parse(files: &[Source]) -> Result<Resolve, String> {
    let mut map = wit_parser::SourceMap::default();
    for Source { path, text } in files {
        map.push_str(path, text.clone());
    }
    let group = map.parse().map_err(|(map, why)| why.render(&map))?;
    let mut resolve = Resolve::default();
    resolve.push_group(group).map_err(|why| format!("{why:?}"))?;
    Ok(resolve)
}

/// Complains of what has no words beside it.
fn documented(what: &str, docs: &Docs, complaints: &mut Vec<String>) {
    if docs.contents.as_ref().is_none_or(|words| words.trim().is_empty()) {
        complaints.push(format!("{what} is not documented"));
    }
}

/// The names and words of a type's parts.
fn parts(kind: &TypeDefKind) -> Vec<(&str, &Docs)> {
    match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|f| (f.name.as_str(), &f.docs)).collect(),
        TypeDefKind::Variant(variant) => variant.cases.iter().map(|c| (c.name.as_str(), &c.docs)).collect(),
        TypeDefKind::Enum(cases) => cases.cases.iter().map(|c| (c.name.as_str(), &c.docs)).collect(),
        TypeDefKind::Flags(flags) => flags.flags.iter().map(|f| (f.name.as_str(), &f.docs)).collect(),
        _ => Vec::new(),
    }
}

fn check_type(interface: &str, name: &str, def: &TypeDef, complaints: &mut Vec<String>) {
    let what = format!("{interface}.{name}");
    if NAMES_TAKEN.contains(&name) {
        complaints.push(format!("{what}: a type must not be called {name}"));
    }
    if matches!(def.kind, TypeDefKind::Resource) {
        complaints.push(format!("{what} is a resource; what crosses is plain data"));
    }
    // `use types.{refusal}` names a type that is documented where it stands.
    if matches!(def.kind, TypeDefKind::Type(Type::Id(_))) {
        return;
    }
    documented(&what, &def.docs, complaints);
    for (part, docs) in parts(&def.kind) {
        documented(&format!("{what}.{part}"), docs, complaints);
    }
}

fn check(resolve: &Resolve) -> Vec<String> {
    let mut complaints = Vec::new();
    for (_, interface) in &resolve.interfaces {
        let name = interface.name.as_deref().unwrap_or("an unnamed interface");
        documented(name, &interface.docs, &mut complaints);
        for (type_name, id) in &interface.types {
            check_type(name, type_name, &resolve.types[*id], &mut complaints);
        }
        for (function_name, function) in &interface.functions {
            documented(&format!("{name}.{function_name}"), &function.docs, &mut complaints);
            if function.kind != FunctionKind::Freestanding {
                complaints.push(format!("{name}.{function_name} must be a plain, synchronous function"));
            }
        }
    }
    for (_, world) in &resolve.worlds {
        documented(&format!("the world {}", world.name), &world.docs, &mut complaints);
        let outside = |item: &&WorldItem| !matches!(item, WorldItem::Interface { .. });
        if world.exports.values().chain(world.imports.values()).any(|item| outside(&item)) {
            complaints.push(format!("the world {}: functions stand in interfaces", world.name));
        }
    }
    complaints.extend(check_numbers(resolve));
    complaints
}

/// Ids are texts or `u32`: several languages have no whole numbers of 64 bits.
fn check_numbers(resolve: &Resolve) -> Vec<String> {
    let wide = |ty: &Type| matches!(ty, Type::U64 | Type::S64);
    let mut complaints = Vec::new();
    for (_, def) in &resolve.types {
        let inner: Vec<Type> = match &def.kind {
            TypeDefKind::Record(record) => record.fields.iter().map(|field| field.ty).collect(),
            TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty).collect(),
            TypeDefKind::Tuple(tuple) => tuple.types.clone(),
            TypeDefKind::Type(ty) | TypeDefKind::List(ty) | TypeDefKind::Option(ty) => vec![*ty],
            TypeDefKind::Result(result) => result.ok.into_iter().chain(result.err).collect(),
            _ => Vec::new(),
        };
        if inner.iter().any(wide) {
            let name = def.name.as_deref().unwrap_or("an unnamed type");
            complaints.push(format!("{name} holds a number of 64 bits"));
        }
    }
    for (_, interface) in &resolve.interfaces {
        for (name, function) in &interface.functions {
            if function.params.iter().map(|param| &param.ty).chain(&function.result).any(wide) {
                complaints.push(format!("{name} takes or gives a number of 64 bits"));
            }
        }
    }
    complaints
}

/// Each file holds the one interface, or the one world, that it is called after.
fn check_files(files: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for Source { path, text } in files {
        let stem = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".wit");
        let declared: Vec<&str> =
            text.lines().filter(|line| line.starts_with("interface ") || line.starts_with("world ")).collect();
        let fits = match declared[..] {
            [line] if stem == "world" => line.starts_with("world "),
            [line] => line == format!("interface {stem} {{"),
            _ => false,
        };
        if !fits {
            complaints.push(format!("{path} must hold one interface, called {stem}: {declared:?}"));
        }
    }
    complaints
}

#[test]
fn the_contract_parses_and_every_item_is_documented() {
    let files = sources(&["wit"], &[".wit"]);
    let resolve = parse(&files).unwrap_or_else(|why| panic!("wit does not parse: {why}"));
    assert_tidy(&check(&resolve));
    assert_tidy(&check_files(&files));
    let names: Vec<String> = resolve.packages.iter().map(|(_, package)| package.name.to_string()).collect();
    assert_eq!(names, ["parlor:room@0.1.0"]);
}

#[test]
fn a_contract_out_of_shape_is_found_and_named() {
    let text = "package a:b@0.1.0;\n\ninterface bare {\n    variant ok { a }\n    record r { id: u64 }\n    resource res;\n    f: func();\n    /// Waits.\n    g: async func();\n}\n\nworld w {\n    export h: func();\n}\n";
    let files = [Source::sample("wit/other.wit", text)];
    let mut found = check(&parse(&files).unwrap_or_else(|why| panic!("{why}")));
    found.extend(check_files(&files));
    for words in [
        "bare is not documented",
        "bare.ok.a is not documented",
        "must not be called ok",
        "r holds a number of 64 bits",
        "bare.r.id is not documented",
        "bare.res is a resource",
        "bare.f is not documented",
        "bare.g must be a plain, synchronous function",
        "the world w: functions stand in interfaces",
        "wit/other.wit must hold one interface",
    ] {
        assert!(found.iter().any(|complaint| complaint.contains(words)), "{words}: {found:#?}");
    }
    assert!(parse(&[Source::sample("x.wit", "package a:b;\ninterface i {\n    f: func(\n}\n")]).is_err());
}

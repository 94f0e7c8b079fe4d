//! Where quickjs-ng's stack ends: it knows no end where it is compiled to wasm, and measures the part of the stack that C keeps in
//! memory, of which some functions that call themselves use next to nothing.

use anyhow::{Context as _, ensure};

/// What leaves out the check.
const UNCHECKED: &str = "static void update_stack_limit(JSRuntime *rt)\n{\n#if defined(__wasi__)";
const CHECKED: &str = "static void update_stack_limit(JSRuntime *rt)\n{\n#if 0";

/// The functions that call themselves with little on their stacks, and how many bytes each is to use: about what it takes of
/// the real stack.
const SHALLOW: [(&str, usize); 26] = [
    ("json_parse_value", 320),
    ("js_json_to_str", 320),
    ("js_call_bound_function", 1024),
    ("js_proxy_call", 256),
    ("js_proxy_define_own_property", 256),
    ("js_proxy_delete_property", 256),
    ("js_proxy_get", 256),
    ("js_proxy_getPrototypeOf", 256),
    ("js_proxy_get_own_property", 256),
    ("js_proxy_get_own_property_names", 256),
    ("js_proxy_has", 256),
    ("js_proxy_isArray", 256),
    ("js_proxy_isExtensible", 256),
    ("js_proxy_preventExtensions", 256),
    ("js_proxy_set", 256),
    ("js_proxy_setPrototypeOf", 256),
    ("js_array_join", 256),
    ("js_array_toString", 256),
    ("js_parse_unary", 256),
    ("js_parse_postfix_expr", 1024),
    ("js_parse_array_literal", 1024),
    ("js_parse_object_literal", 1024),
    ("js_parse_template", 1024),
    ("js_parse_assign_expr2", 256),
    ("js_parse_statement_or_decl", 512),
    ("JS_FlattenIntoArray", 320),
];
const SHALLOW_OF_REGEXP: [(&str, usize); 1] = [("re_parse_disjunction", 1024)];

/// The source of a file with an end of the stack.
pub fn with_depth(name: &str, source: String) -> anyhow::Result<String> {
    match name {
        "quickjs" => {
            ensure!(source.matches(UNCHECKED).count() == 1, "quickjs.c has no `update_stack_limit` as it was");
            SHALLOW.iter().try_fold(source.replace(UNCHECKED, CHECKED), deepened)
        }
        "libregexp" => SHALLOW_OF_REGEXP.iter().try_fold(source, deepened),
        _ => Ok(source),
    }
}

/// The source in which a function uses so many bytes of the stack.
fn deepened(source: String, (name, bytes): &(&str, usize)) -> anyhow::Result<String> {
    let body = body_of(&source, name).with_context(|| format!("quickjs-ng has no function {name} any more"))?;
    let used = format!("    char parlor_deep[{bytes}]; __asm__ volatile(\"\" :: \"r\"(parlor_deep) : \"memory\");\n");
    Ok([&source[..body], &used, &source[body..]].concat())
}

/// Where the body of a function begins: its name stands in a line that is no statement, and what follows its parameters is a brace.
fn body_of(source: &str, name: &str) -> Option<usize> {
    source.match_indices(&format!("{name}(")).find_map(|(at, _)| {
        let line = source[..at].rfind('\n').map_or(0, |end| end + 1);
        let is_outermost = source[line..].starts_with("static ") && source[line..at].ends_with([' ', '*']);
        let (parameters, _) = source[at..].split_once(")\n{\n")?;
        (is_outermost && !parameters.contains([';', '{'])).then_some(at + parameters.len() + ")\n{\n".len())
    })
}

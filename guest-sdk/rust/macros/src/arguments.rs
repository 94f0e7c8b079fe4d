//! `name = "...", path = "..."`, checked.

use proc_macro2::Span;
use syn::{
    Error, Ident, LitStr, Result, Token,
    parse::{Parse, ParseStream},
};

const EXAMPLE: &str = "write `#[parlor_guest::room(name = \"chat\", path = \"/ws\")]`";

/// The longest name and path, in bytes.
const MAX_BYTES: usize = 128;

/// What a plugin says of itself.
pub struct Arguments {
    pub name: LitStr,
    pub path: LitStr,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut name, mut path) = (None, None);
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            let place = match key.to_string().as_str() {
                "name" => &mut name,
                "path" => &mut path,
                other => {
                    return Err(Error::new(key.span(), format!("no argument is called `{other}`: {EXAMPLE}")));
                }
            };
            if place.is_some() {
                return Err(Error::new(key.span(), format!("`{key}` is given twice")));
            }
            input.parse::<Token![=]>()?;
            *place = Some(input.parse::<LitStr>()?);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let missing = |key: &str| Error::new(Span::call_site(), format!("`{key}` is missing: {EXAMPLE}"));
        let name = name.ok_or_else(|| missing("name"))?;
        let path = path.ok_or_else(|| missing("path"))?;
        check(&name, name_problem(&name.value()))?;
        check(&path, path_problem(&path.value()))?;
        Ok(Arguments { name, path })
    }
}

fn check(literal: &LitStr, problem: Option<String>) -> Result<()> {
    problem.map_or(Ok(()), |problem| Err(Error::new(literal.span(), problem)))
}

fn name_problem(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some("a room's name cannot be empty".to_owned());
    }
    too_long("a room's name", name)
}

fn path_problem(path: &str) -> Option<String> {
    if !path.starts_with('/') {
        return Some(format!("a websocket path begins with `/`: `/{path}`?"));
    }
    if let Some(wrong) = path.chars().find(|c| !(c.is_ascii_alphanumeric() || "/._~-".contains(*c))) {
        return Some(format!("`{wrong}` cannot stand in a websocket path: it is made of `/A-Za-z0-9._~-`"));
    }
    if path.contains("..") {
        return Some("a websocket path cannot contain `..`".to_owned());
    }
    if path.starts_with("/t/") {
        return Some("paths below `/t/` belong to tenants".to_owned());
    }
    if path == "/_parlor" || path.starts_with("/_parlor/") {
        return Some("`/_parlor` and what is below it belong to the server".to_owned());
    }
    too_long("a websocket path", path)
}

fn too_long(what: &str, text: &str) -> Option<String> {
    (text.len() > MAX_BYTES).then(|| format!("{what} has up to {MAX_BYTES} bytes, this one {}", text.len()))
}

#[cfg(test)]
mod tests {
    use super::path_problem;

    #[test]
    fn paths_follow_the_rules_of_the_contract() {
        let longest = format!("/{}", "x".repeat(127));
        for good in ["/", "/ws", "/ws/notifications", "/a.b~c-d_e/F9", "/t", "/_parlour", "/tea/", &longest] {
            assert_eq!(path_problem(good), None, "{good}");
        }
        let too_long = format!("{longest}x");
        for bad in ["", "ws", "/w s", "/ws?x", "/\u{e9}", "/a/../b", "/t/acme", "/_parlor", "/_parlor/x", &too_long] {
            assert!(path_problem(bad).is_some(), "{bad}");
        }
    }
}

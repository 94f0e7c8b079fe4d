//! Which registration of an instance asks for an event, if any: what nobody wants never crosses the boundary.

use crate::model::event::hook;

/// The cause of a client's event: its own name where a handler or `*` asked for it, the fallback where neither did.
pub fn cause_of(name: &str, has: impl Fn(&str) -> bool) -> Option<&str> {
    if has(name) || has(hook::ANY) {
        Some(name)
    } else if has(hook::MESSAGE) {
        Some(hook::MESSAGE)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fallback_is_for_what_nobody_asked_for() {
        let with = |names: &'static [&'static str]| move |name: &str| names.contains(&name);
        assert_eq!(cause_of("a", with(&["a", "$message"])), Some("a"));
        assert_eq!(cause_of("b", with(&["a", "*", "$message"])), Some("b"));
        assert_eq!(cause_of("b", with(&["a", "$message"])), Some("$message"));
        assert_eq!(cause_of("b", with(&["a"])), None);
    }
}

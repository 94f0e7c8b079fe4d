//! Guests that trap, each in another hook.

use crate::component::bare;
use crate::snippets::{DONE, handling};
use crate::{Hostile, When};

pub const LIST: &[Hostile] = &[
    Hostile::new("trap-handler", "traps at every event: a crash loop", |_| handling("", "", "unreachable")),
    Hostile::new("trap-authorize", "traps in authorize", |_| bare(&[("in authorize", "unreachable")]))
        .when(When::Connect),
    Hostile::new("trap-connect", "traps in $connect", |_| on_hook("$connect", "", "", "unreachable"))
        .when(When::Connect),
    Hostile::new("trap-disconnect", "traps in $disconnect", |_| on_hook("$disconnect", "", "", "unreachable"))
        .when(When::Connect),
    Hostile::new("trap-message", "traps in $message, the fallback", |_| on_hook("$message", "", "", "unreachable"))
        .event("other"),
    Hostile::new("trap-error", "traps at an event, and again in $error", |_| {
        registering("$error", "", "", "unreachable")
    }),
    Hostile::new("trap-restore", "traps at an event, and again in $restore", |_| {
        registering("$restore", "", "", "unreachable")
    }),
    Hostile::new("trap-init", "traps in init", |_| bare(&[("in init", "unreachable")])).when(When::Load),
];

/// A guest that does this in a hook, and echoes events as the smallest plugin does.
pub fn on_hook(hook: &str, imports: &str, more: &str, mischief: &str) -> Vec<u8> {
    // The cause of a hook, and of nothing else, begins with a dollar.
    let code = format!("(if (i32.eq (i32.load8_u (local.get $cause)) (i32.const 36)) (then {mischief} {DONE}))");
    registering(hook, imports, more, &code)
}

/// A guest that asks for a hook, and does this at every event.
fn registering(hook: &str, imports: &str, more: &str, mischief: &str) -> Vec<u8> {
    let register = format!("(call $on (i32.const 700) (i32.const {}) (i32.const 512))", hook.len());
    let end = format!("(data (i32.const 700) \"{hook}\") {more}");
    bare(&[("more imports", imports), ("in init", &register), ("at the end", &end), ("in handle", mischief)])
}

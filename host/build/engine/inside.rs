//! What is compiled behind quickjs.c, and what quickjs.c has of it: JSON as most messages are, promises whose steps are known to the
//! engine alone, for which it would make functions and reactions that nobody sees, and the shapes of objects that come again.

use anyhow::{Context as _, ensure};

const HEADER: &str = include_str!("../../../guest-sdk/typescript/engine/inside/inside.h");
const BEHIND: [&str; 4] = [
    include_str!("../../../guest-sdk/typescript/engine/inside/objects.c"),
    include_str!("../../../guest-sdk/typescript/engine/inside/json_read.c"),
    include_str!("../../../guest-sdk/typescript/engine/inside/json_write.c"),
    include_str!("../../../guest-sdk/typescript/engine/inside/promises.c"),
];

/// Each stands once in quickjs.c, and what is put in its place.
const CHANGES: [(&str, &str); 11] = [
    ("#include \"quickjs.h\"\n", "#include \"inside.h\"\n"),
    (
        "#define JS_REF_COUNT(p) (js_rc(p)->ref_count)\n",
        "#define JS_REF_COUNT(p) (js_rc(p)->ref_count)\n\
         #define INSIDE_FOREVER (1 << 30)\n\
         static inline void inside_up(int *count) { if (*count < INSIDE_FOREVER) ++*count; }\n\
         static inline int inside_down(int *count) { return *count < INSIDE_FOREVER ? --*count : *count; }\n",
    ),
    (
        "static no_inline JSArena *arena_new(",
        "static JSArena *inside_first_arena(JSRuntime *rt, int block_size_idx);\n\
         static no_inline JSArena *arena_new(",
    ),
    (
        "    block_size = arena_block_sizes[block_size_idx];\n    n_blocks = (JS_ARENA_SIZE",
        "    ar = inside_first_arena(rt, block_size_idx);\n    if (ar)\n        return ar;\n    \
         block_size = arena_block_sizes[block_size_idx];\n    n_blocks = (JS_ARENA_SIZE",
    ),
    (
        "static JSProperty *add_property(JSContext *ctx,\n                                JSObject *p, JSAtom prop, int prop_flags)\n{\n",
        "static void inside_keep_shape(JSContext *ctx, JSShape *shape);\n\
         static JSProperty *add_property(JSContext *ctx,\n                                JSObject *p, JSAtom prop, int prop_flags)\n{\n",
    ),
    (
        "    if (add_shape_property(ctx, &p->shape, p, prop, prop_flags))\n        return NULL;\n    \
         return &p->prop[p->shape->prop_count - 1];\n}\n\n/* can be called on",
        "    if (add_shape_property(ctx, &p->shape, p, prop, prop_flags))\n        return NULL;\n    \
         inside_keep_shape(ctx, p->shape);\n    return &p->prop[p->shape->prop_count - 1];\n}\n\n/* can be called on",
    ),
    (
        "static bool js_async_function_resume(JSContext *ctx, JSAsyncFunctionData *s)\n{\n",
        "static JSValue inside_pending(JSContext *ctx);\n\
         static JSValue inside_settle(JSContext *ctx, JSValueConst promise, JSValueConst value, bool is_reject);\n\
         static int inside_await(JSContext *ctx, JSAsyncFunctionData *s, JSValueConst value);\n\
         static bool js_async_function_resume(JSContext *ctx, JSAsyncFunctionData *s)\n{\n",
    ),
    (
        "            ret2 = JS_Call(ctx, s->resolving_funcs[1], JS_UNDEFINED,\n                           1, vc(&error));\n            \
         JS_FreeValue(ctx, error);\n        resolved:\n",
        "            ret2 = inside_settle(ctx, s->resolving_funcs[0], error, true);\n            JS_FreeValue(ctx, error);\n        \
         resolved:\n",
    ),
    (
        "            ret2 = JS_Call(ctx, s->resolving_funcs[0], JS_UNDEFINED,\n                           1, vc(&value));\n            \
         JS_FreeValue(ctx, value);\n            goto resolved;\n",
        "            ret2 = inside_settle(ctx, s->resolving_funcs[0], value, false);\n            JS_FreeValue(ctx, value);\n            \
         goto resolved;\n",
    ),
    (
        "            JS_FreeValue(ctx, func_ret); /* not used */\n            promise = js_promise_resolve(",
        "            JS_FreeValue(ctx, func_ret); /* not used */\n            res = inside_await(ctx, s, value);\n            \
         if (res) {\n                JS_FreeValue(ctx, value);\n                if (res < 0)\n                    goto fail;\n                \
         return is_success;\n            }\n            promise = js_promise_resolve(",
    ),
    (
        "    promise = JS_NewPromiseCapability(ctx, s->resolving_funcs);\n    if (JS_IsException(promise))\n        goto fail;\n\n    \
         if (async_func_init(ctx, &s->func_state, func_obj, this_obj, argc, argv)) {\n",
        "    promise = inside_pending(ctx);\n    if (JS_IsException(promise))\n        goto fail;\n    \
         s->resolving_funcs[0] = js_dup(promise);\n\n    \
         if (async_func_init(ctx, &s->func_state, func_obj, this_obj, argc, argv)) {\n",
    ),
];

/// The source of a file with what is compiled behind it.
pub fn with_insides(name: &str, source: String) -> anyhow::Result<String> {
    if name != "quickjs" {
        return Ok(source);
    }
    let changed = CHANGES.iter().try_fold(source, |source, (from, to)| {
        ensure!(source.matches(from).count() == 1, "quickjs.c does not have this as it was: {from}");
        Ok(source.replace(from, to))
    })?;
    let changed = counted(&changed)?;
    Ok([&[changed.as_str()], BEHIND.as_slice()].concat().join("\n"))
}

/// The macro that says where a reference count is.
const COUNT: &str = "JS_REF_COUNT(";

/// The source whose reference counts leave those alone that are for ever.
fn counted(source: &str) -> anyhow::Result<String> {
    let mut parts = source.split(COUNT);
    let mut made = parts.next().unwrap_or_default().to_owned();
    let mut changed = 0;
    for part in parts {
        let (of, behind) = part.split_once(')').context("quickjs.c has a macro without its end")?;
        let is_before = made.ends_with("--");
        let step = match behind.get(..3) {
            Some("++;") => "inside_up",
            Some("--;") => "inside_down",
            _ if is_before => "inside_down",
            _ => {
                made.extend([COUNT, of, ")", behind]);
                continue;
            }
        };
        changed += 1;
        let behind = if is_before { behind } else { &behind[2..] };
        made.truncate(made.len() - if is_before { 2 } else { 0 });
        made.extend([step, "(&", COUNT, of, "))", behind]);
    }
    ensure!(changed >= 25, "quickjs.c counts references in another way than it did");
    Ok(made)
}

/// All that the result depends on.
pub fn changes() -> String {
    [&[HEADER, include_str!("inside.rs")], BEHIND.as_slice()].concat().concat()
}

//! The source text of functions, which `toString` shows: quickjs-ng copies it for each function, with that of all functions in it. Those
//! of the plugin's own module point into the one text that the engine keeps.

use anyhow::ensure;

const TYPE: &str = "typedef struct JSFunctionBytecode {";
const HELPERS: &str = "extern const char *parlor_text, *parlor_text_end;\n\
    static char *parlor_source_of(JSContext *ctx, const char *at, size_t len)\n{\n    \
    return at >= parlor_text && at < parlor_text_end ? (char *)at : js_strndup(ctx, at, len);\n}\n\
    static void parlor_free_source(JSRuntime *rt, char *at)\n{\n    \
    if (!(at >= parlor_text && at < parlor_text_end)) js_free_rt(rt, at);\n}\n";

/// What copies or frees such a text, how often, and what does it instead.
const CHANGES: [(&str, usize, &str); 5] = [
    ("fd->source = js_strndup(ctx, (const char *)ptr,", 2, "fd->source = parlor_source_of(ctx, (const char *)ptr,"),
    (
        "ctor_fd->source = js_strndup(ctx, (const char *)class_start_ptr,",
        1,
        "ctor_fd->source = parlor_source_of(ctx, (const char *)class_start_ptr,",
    ),
    ("    js_free(ctx, fd->source);", 1, "    parlor_free_source(ctx->rt, fd->source);"),
    ("    js_free(ctx, ctor_fd->source);", 1, "    parlor_free_source(ctx->rt, ctor_fd->source);"),
    ("    js_free_rt(rt, b->source);", 1, "    parlor_free_source(rt, b->source);"),
];

/// The source of a file whose functions share the text of the plugin's module.
pub fn with_shared_text(name: &str, source: String) -> anyhow::Result<String> {
    if name != "quickjs" {
        return Ok(source);
    }
    ensure!(source.matches(TYPE).count() == 1, "quickjs.c has no bytecode of functions as it was");
    CHANGES.iter().try_fold(source.replace(TYPE, &format!("{HELPERS}{TYPE}")), |source, (from, times, to)| {
        ensure!(source.matches(from).count() == *times, "quickjs.c does not have this as it was: {from}");
        Ok(source.replace(from, to))
    })
}

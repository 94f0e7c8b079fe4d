/*
 * The engine of plugins in TypeScript: quickjs-ng, whose source is fetched by package name, and what is between it and the contract.
 *
 * The build of a plugin runs `parlor_evaluate` over the plugin's one module, and keeps the memory that is then: all instances begin
 * with it.
 */

#include "engine.h"

#include <stdlib.h>
#include <string.h>

/* What the build reads of the engine: a text, as its place and length. */
static pl_out said;

JSContext *js;
/* What the engine itself notes of an error's stack; the SDK has authors read their own places. */
static JSValue noted_stack = JS_UNDEFINED;
/* The text of the plugin's module, in which the sources of its functions are: `host/build/engine/sources.rs`. */
const char *parlor_text, *parlor_text_end;

/* Half of a surrogate pair, which is no letter, takes three bytes: so does U+FFFD. */
text text_of(JSValueConst value) {
    text one;
    one.at = JS_ToCStringLen(js, &one.len, value);
    if (!one.at) return one;
    const char *end = one.at + one.len;
    for (const char *at = one.at; (at = memchr(at, 0xED, (size_t)(end - at))); at++) {
        /* What is not ASCII is a copy of our own. */
        if ((uint8_t)at[1] >= 0xA0) memcpy((char *)at, "\xEF\xBF\xBD", 3);
    }
    return one;
}

void free_text(text one) {
    if (one.at) JS_FreeCString(js, one.at);
}

JSValue string_of(struct pl_span span) {
    return JS_NewStringLen(js, span.len ? span.at : "", span.len);
}

/* Gives an object functions, which the engine would make when they are first asked for: in each room anew. */
void add_members(JSValueConst object, const JSCFunctionListEntry *members, int count) {
    JS_SetPropertyFunctionList(js, object, members, count);
    for (int at = 0; at < count; at++) {
        if (members[at].def_type == JS_DEF_CFUNC) JS_FreeValue(js, JS_GetPropertyStr(js, object, members[at].name));
    }
}

/* What the one module exports that is there beside the plugin's own. */
#define LIST(name) {name##_functions, &name##_function_count}
static const struct {
    const JSCFunctionListEntry *functions;
    const int *count;
} lists[] = {
    LIST(context), LIST(emit),  LIST(guest),   LIST(handler), LIST(history), LIST(hook), LIST(job),
    LIST(line),    LIST(name),  LIST(state),   LIST(storage), LIST(stored),  LIST(target), LIST(text), LIST(turn),
};

static int add_functions(JSContext *ctx, JSModuleDef *module) {
    int failed = 0;
    for (size_t at = 0; at < sizeof lists / sizeof *lists; at++) {
        failed |= JS_SetModuleExportList(ctx, module, lists[at].functions, *lists[at].count);
    }
    return failed;
}

static void add_module(void) {
    JSModuleDef *module = JS_NewCModule(js, "parlor:engine", add_functions);
    for (size_t at = 0; at < sizeof lists / sizeof *lists; at++) {
        JS_AddModuleExportList(js, module, lists[at].functions, *lists[at].count);
    }
}

extern void __wasm_call_ctors(void);

/* Memory for the source of the plugin's module. The build calls this first. */
EXPORT("parlor_source") char *parlor_source(size_t len) {
    __wasm_call_ctors();
    char *source = needed(malloc(len + 1));
    source[len] = 0;
    parlor_text = source;
    parlor_text_end = source + len;
    return source;
}

/* Keeps what was thrown in words: its message, and the places of the stack on lines of their own. */
void said_as(JSValueConst thrown) {
    JSValue stack = JS_IsObject(thrown) ? JS_Call(js, noted_stack, thrown, 0, NULL) : JS_UNDEFINED;
    text words = text_of(thrown), places = JS_IsString(stack) ? text_of(stack) : (text){0};
    if (!words.at) JS_FreeValue(js, JS_GetException(js));
    char *both = needed(malloc(words.len + places.len + 2));
    memcpy(both, words.at, words.len);
    both[words.len] = '\n';
    memcpy(both + words.len + 1, places.at, places.len);
    said = (pl_out){both, words.len + 1 + places.len};
    free_text(words);
    free_text(places);
    JS_FreeValue(js, stack);
}

EXPORT("parlor_said") pl_out *parlor_said(void) {
    return &said;
}

static void fail(void) {
    JSValue thrown = JS_GetException(js);
    said_as(thrown);
    JS_FreeValue(js, thrown);
}

static void find_noted_stack(void) {
    JSPropertyDescriptor found;
    JSValue error = JS_NewError(js), prototype = JS_GetPrototype(js, error);
    JSAtom name = JS_NewAtom(js, "stack");
    if (JS_GetOwnProperty(js, &found, prototype, name) > 0) {
        noted_stack = found.getter;
        JS_FreeValue(js, found.setter);
    }
    JS_FreeAtom(js, name);
    JS_FreeValue(js, prototype);
    JS_FreeValue(js, error);
}

/* Evaluates the plugin's module. Whether it went well; else the build reads why. */
EXPORT("parlor_evaluate") bool parlor_evaluate(void) {
    JSRuntime *runtime = needed(JS_NewRuntime2(&script_memory, NULL));
    JSContext *of;
    JS_SetMaxStackSize(runtime, PARLOR_STACK);
    js = needed(JS_NewContext(runtime));
    find_noted_stack();
    begin_jobs(runtime);
    begin_contexts(runtime);
    begin_targets(runtime);
    begin_turns(runtime);
    add_module();
    size_t len = (size_t)(parlor_text_end - parlor_text);
    JSValue module = JS_Eval(js, parlor_text, len, "plugin.js", JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(module)) {
        fail();
        return false;
    }
    JSValue done = JS_EvalFunction(js, module);
    /* A module that cannot be linked has no promise: what it imports is not there. */
    if (JS_IsException(done)) {
        fail();
        return false;
    }
    while (JS_ExecutePendingJob(runtime, &of) > 0) continue;
    if (JS_PromiseState(js, done) != JS_PROMISE_FULFILLED) {
        JSValue thrown = JS_PromiseResult(js, done);
        said_as(thrown);
        JS_FreeValue(js, thrown);
        return false;
    }
    JS_FreeValue(js, done);
    inside_forget_shapes(js);
    JS_RunGC(runtime);
    inside_keep(js, false);
    inside_set_apart(js);
    memory_is_kept();
    return true;
}

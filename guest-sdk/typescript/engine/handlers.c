/* The handlers of each event, timer and ask by their names: what `src/registry.ts` has of them, as an event finds them. */

#include "engine.h"

#include <stdlib.h>
#include <string.h>

typedef struct handlers {
    struct handlers *next;
    uint32_t hash;
    /* An array: another one takes its place where handlers are added or removed. */
    JSValue list;
    size_t len;
    char name[];
} handlers;

/* A power of two: most rooms have fewer names. */
#define BUCKETS 64

static handlers *tables[TABLE_COUNT][BUCKETS];

static uint32_t hash_of(struct pl_span name) {
    const uint8_t *at = name.at;
    uint32_t hash = 2166136261u;
    for (size_t place = 0; place < name.len; place++) hash = (hash ^ at[place]) * 16777619u;
    return hash;
}

/* The place of the handlers of a name, which is behind the last where there are none. */
static handlers **place_of(table what, struct pl_span name, uint32_t hash) {
    handlers **at = &tables[what][hash % BUCKETS];
    while (*at && ((*at)->hash != hash || (*at)->len != name.len || memcmp((*at)->name, name.at, name.len) != 0)) at = &(*at)->next;
    return at;
}

JSValueConst handlers_of(table what, struct pl_span name) {
    handlers *found = *place_of(what, name, hash_of(name));
    return found ? found->list : JS_UNDEFINED;
}

/* Puts handlers in the place of those of a name, or removes them. */
static JSValue set_handlers(JSContext *, JSValueConst, int, JSValueConst *argv) {
    uint32_t what;
    if (JS_ToUint32(js, &what, argv[0]) < 0) return JS_EXCEPTION;
    text name = text_of(argv[1]);
    if (!name.at) return JS_EXCEPTION;
    struct pl_span span = {name.at, name.len};
    uint32_t hash = hash_of(span);
    handlers **at = place_of(what % TABLE_COUNT, span, hash), *old = *at;
    if (JS_IsUndefined(argv[2])) {
        if (old) *at = old->next;
    } else if (old) {
        JSValue list = old->list;
        old->list = JS_DupValue(js, argv[2]);
        JS_FreeValue(js, list);
        old = NULL;
    } else {
        handlers *made = needed(malloc(sizeof *made + name.len));
        *made = (handlers){.hash = hash, .list = JS_DupValue(js, argv[2]), .len = name.len};
        memcpy(made->name, name.at, name.len);
        *at = made;
    }
    if (old) {
        JS_FreeValue(js, old->list);
        free(old);
    }
    free_text(name);
    return JS_UNDEFINED;
}

const JSCFunctionListEntry handler_functions[] = {JS_CFUNC_DEF("setHandlers", 3, set_handlers)};
const int handler_function_count = sizeof handler_functions / sizeof *handler_functions;

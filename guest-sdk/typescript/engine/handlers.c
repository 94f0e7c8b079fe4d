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

/* Asks the host for an event; false where it is refused, `words` saying why. */
static bool ask_for(struct pl_span name, JSValue *words) {
    pl_result result;
    host_on(name.at, name.len, &result);
    JSValue answer = answered(&result, as_nothing);
    if (!JS_IsException(answer)) return true;
    JSValue arguments[2] = {string_of(name), JS_UNDEFINED};
    or_refusal(answer);
    arguments[1] = JS_GetException(js);
    *words = call_hook(HOOK_UNREGISTERED, 2, arguments);
    JS_FreeValue(js, arguments[0]);
    JS_FreeValue(js, arguments[1]);
    return false;
}

/* Asks the host for all events that have handlers. It has one hook for all timers, and one for all asks. */
bool begin_events(JSValue *words) {
    static const char *const hooks[TABLE_COUNT] = {[TABLE_TIMERS] = "$timer", [TABLE_ACKS] = "$ack"};
    for (table what = 0; what < TABLE_COUNT; what++) {
        bool is_any = false;
        for (int which = 0; which < BUCKETS; which++) {
            for (handlers *at = tables[what][which]; at; at = at->next) {
                is_any = true;
                if (what == TABLE_EVENTS && !ask_for((struct pl_span){at->name, at->len}, words)) return false;
            }
        }
        struct pl_span hook = {hooks[what], hooks[what] ? strlen(hooks[what]) : 0};
        bool is_asked = !hooks[what] || !is_any || !JS_IsUndefined(handlers_of(TABLE_EVENTS, hook));
        if (!is_asked && !ask_for(hook, words)) return false;
    }
    return true;
}

const JSCFunctionListEntry handler_functions[] = {JS_CFUNC_DEF("setHandlers", 3, set_handlers)};
const int handler_function_count = sizeof handler_functions / sizeof *handler_functions;

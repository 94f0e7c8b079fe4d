/* The contract's `history`, and the sockets of a channel. */

#include "engine.h"

static JSValue of_channel(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    bool has_after = !JS_IsNull(argv[1]);
    uint32_t after = 0, limit;
    if ((has_after && JS_ToUint32(js, &after, argv[1]) < 0) || JS_ToUint32(js, &limit, argv[2]) < 0) return JS_EXCEPTION;
    text channel = text_of(argv[0]);
    if (!channel.at) return JS_EXCEPTION;
    host_of_channel(OF(channel), has_after, after, limit, &result);
    free_text(channel);
    return answered(&result, as_numbers);
}

static JSValue history_keep(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    uint32_t entries, ttl;
    if (JS_ToUint32(js, &entries, argv[1]) < 0 || JS_ToUint32(js, &ttl, argv[2]) < 0) return JS_EXCEPTION;
    text channel = text_of(argv[0]);
    if (!channel.at) return JS_EXCEPTION;
    host_history_keep(OF(channel), entries, ttl, JS_ToBool(js, argv[3]) > 0, &result);
    free_text(channel);
    return answered(&result, as_nothing);
}

static JSValue said_of(const struct pl_said_entry *entry) {
    JSValue said = JS_NewObject(js), data = JS_NewObject(js);
    JS_SetPropertyStr(js, data, "tag", JS_NewString(js, entry->is_binary ? "binary" : "json"));
    JS_SetPropertyStr(js, data, "val", entry->is_binary ? bytes_of(entry->data) : string_of(entry->data));
    JS_SetPropertyStr(js, said, "position", string_of(entry->position));
    JS_SetPropertyStr(js, said, "event", string_of(entry->event));
    JS_SetPropertyStr(js, said, "data", data);
    JS_SetPropertyStr(js, said, "at", JS_NewFloat64(js, entry->at));
    return said;
}

static JSValue as_page(const pl_result *result) {
    const struct pl_said_entry *from = result->ok.history.entries.at;
    JSValue page = JS_NewObject(js), entries = JS_NewArray(js);
    for (uint32_t at = 0; at < result->ok.history.entries.len; at++) {
        JS_SetPropertyUint32(js, entries, at, said_of(&from[at]));
    }
    JS_SetPropertyStr(js, page, "entries", entries);
    JS_SetPropertyStr(js, page, "recovered", JS_NewBool(js, result->ok.history.recovered));
    return page;
}

static JSValue history_read(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    uint32_t limit;
    if (JS_ToUint32(js, &limit, argv[2]) < 0) return JS_EXCEPTION;
    bool has_after = !JS_IsNull(argv[1]);
    text channel = text_of(argv[0]), after = has_after ? text_of(argv[1]) : (text){"", 0};
    bool is_text = channel.at && after.at;
    if (is_text) host_history_read(OF(channel), has_after, OF(after), limit, &result);
    if (has_after) free_text(after);
    free_text(channel);
    return is_text ? answered(&result, as_page) : JS_EXCEPTION;
}

static JSValue history_position(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    text channel = text_of(argv[0]);
    if (!channel.at) return JS_EXCEPTION;
    host_history_position(OF(channel), &result);
    free_text(channel);
    return answered(&result, as_string);
}

const JSCFunctionListEntry history_functions[] = {
    JS_CFUNC_DEF("historyKeep", 4, history_keep),
    JS_CFUNC_DEF("historyPosition", 1, history_position),
    JS_CFUNC_DEF("historyRead", 3, history_read),
    JS_CFUNC_DEF("ofChannel", 3, of_channel),
};
const int history_function_count = sizeof history_functions / sizeof *history_functions;

/* The contract's `storage`. */

#include "engine.h"

#include <stdlib.h>

static JSValue as_option(const pl_result *result) {
    return result->ok.option.is_some ? bytes_of(result->ok.option.span) : JS_NULL;
}

static JSValue get(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    text key = text_of(argv[0]);
    if (!key.at) return JS_EXCEPTION;
    host_get(OF(key), &result);
    free_text(key);
    return answered(&result, as_option);
}

static JSValue as_options(const pl_result *result) {
    const pl_option *from = result->ok.span.at;
    JSValue list = JS_NewArray(js);
    for (uint32_t at = 0; at < result->ok.span.len; at++) {
        JS_SetPropertyUint32(js, list, at, from[at].is_some ? bytes_of(from[at].span) : JS_NULL);
    }
    return list;
}

static JSValue get_many(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    texts keys;
    if (!texts_of(argv[0], &keys)) return JS_EXCEPTION;
    host_get_many(keys.outs, keys.count, &result);
    free_texts(&keys);
    return answered(&result, as_options);
}

static JSValue put(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    size_t len = 0;
    text key = text_of(argv[0]);
    const char *at = key.at ? (const char *)JS_GetUint8Array(js, &len, argv[1]) : NULL;
    if (!at) {
        free_text(key);
        return JS_EXCEPTION;
    }
    host_put(OF(key), at, len, &result);
    free_text(key);
    return answered(&result, as_nothing);
}

/* Two for each entry: its key and its value. */
static JSValue put_many(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    int64_t count = 0;
    if (!count_of(argv[0], &count)) return JS_EXCEPTION;
    text *keys = needed(calloc((size_t)count + 1, sizeof *keys));
    pl_out *outs = needed(calloc((size_t)count * 2 + 1, sizeof *outs));
    bool are_fine = true;
    for (int64_t at = 0; at < count && are_fine; at++) {
        JSValue entry = JS_GetPropertyInt64(js, argv[0], at);
        JSValue key = JS_GetPropertyStr(js, entry, "key"), value = JS_GetPropertyStr(js, entry, "value");
        size_t len = 0;
        keys[at] = text_of(key);
        const char *bytes = (const char *)JS_GetUint8Array(js, &len, value);
        are_fine = keys[at].at && bytes;
        outs[at * 2] = (pl_out){keys[at].at, keys[at].len};
        outs[at * 2 + 1] = (pl_out){bytes, len};
        /* The list holds the entry, and the entry these. */
        JS_FreeValue(js, key);
        JS_FreeValue(js, value);
        JS_FreeValue(js, entry);
    }
    if (are_fine) host_put_many(outs, (size_t)count, &result);
    for (int64_t at = 0; at < count; at++) free_text(keys[at]);
    free(outs);
    free(keys);
    return are_fine ? answered(&result, as_nothing) : JS_EXCEPTION;
}

static JSValue drop(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    text key = text_of(argv[0]);
    if (!key.at) return JS_EXCEPTION;
    host_delete(OF(key), &result);
    free_text(key);
    return answered(&result, as_flag);
}

static JSValue drop_many(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    texts keys;
    if (!texts_of(argv[0], &keys)) return JS_EXCEPTION;
    host_delete_many(keys.outs, keys.count, &result);
    free_texts(&keys);
    return answered(&result, as_number);
}

static JSValue as_page(const pl_result *result) {
    const struct pl_span *from = result->ok.page.entries.at;
    JSValue page = JS_NewObject(js), entries = JS_NewArray(js);
    for (uint32_t at = 0; at < result->ok.page.entries.len; at++) {
        JSValue entry = JS_NewObject(js);
        JS_SetPropertyStr(js, entry, "key", string_of(from[at * 2]));
        JS_SetPropertyStr(js, entry, "value", bytes_of(from[at * 2 + 1]));
        JS_SetPropertyUint32(js, entries, at, entry);
    }
    JS_SetPropertyStr(js, page, "entries", entries);
    JS_SetPropertyStr(js, page, "next", result->ok.page.has_next ? string_of(result->ok.page.next) : JS_NULL);
    return page;
}

static JSValue scan(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    uint32_t limit;
    if (JS_ToUint32(js, &limit, argv[2]) < 0) return JS_EXCEPTION;
    bool is_first = JS_IsNull(argv[1]);
    text prefix = text_of(argv[0]), after = is_first ? (text){"", 0} : text_of(argv[1]);
    bool are_fine = prefix.at && after.at;
    if (are_fine) host_scan(OF(prefix), !is_first, OF(after), limit, &result);
    free_text(prefix);
    if (!is_first) free_text(after);
    return are_fine ? answered(&result, as_page) : JS_EXCEPTION;
}

const JSCFunctionListEntry storage_functions[] = {
    JS_CFUNC_DEF("storageDelete", 1, drop),
    JS_CFUNC_DEF("storageDeleteMany", 1, drop_many),
    JS_CFUNC_DEF("storageGet", 1, get),
    JS_CFUNC_DEF("storageGetMany", 1, get_many),
    JS_CFUNC_DEF("storagePut", 2, put),
    JS_CFUNC_DEF("storagePutMany", 1, put_many),
    JS_CFUNC_DEF("storageScan", 3, scan),
};
const int storage_function_count = sizeof storage_functions / sizeof *storage_functions;

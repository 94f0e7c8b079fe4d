/* Reads and writes of one key of the storage, whose promises are fulfilled when they are made. `src/storage.ts` has all others. */

#include "engine.h"

#include <stdlib.h>

/* The host answers at once; the promise is for the shape of the call. */
static JSValue promised(JSValue value) {
    if (!JS_IsException(value)) return inside_fulfilled(js, value);
    JSValue error = JS_GetException(js), promise = JS_NewSettledPromise(js, true, error);
    JS_FreeValue(js, error);
    return promise;
}

static JSValue as_json(const pl_result *result) {
    struct pl_span span = result->ok.option.span;
    if (!result->ok.option.is_some) return JS_UNDEFINED;
    bool names_bytes;
    return is_utf8(span.at, span.len) ? inside_parse(js, span.at, span.len, &names_bytes) : JS_ThrowTypeError(js, "these bytes are not UTF-8");
}

static JSValue get(JSContext *, JSValueConst this, int count, JSValueConst *argv) {
    pl_result result;
    if (!JS_IsString(argv[0])) return call_hook_of(HOOK_GET, this, count, argv);
    text key = text_of(argv[0]);
    if (!key.at) return JS_EXCEPTION;
    host_get(OF(key), &result);
    free_text(key);
    if (result.is_refused) return promised(or_refusal(answered(&result, as_json)));
    JSValue value = answered(&result, as_json);
    if (!JS_IsException(value)) return inside_fulfilled(js, value);
    /* The SDK says why: it reads it anew. */
    JS_FreeValue(js, JS_GetException(js));
    return call_hook_of(HOOK_GET, this, count, argv);
}

static JSValue put(JSContext *, JSValueConst this, int count, JSValueConst *argv) {
    static growing value;
    pl_result result;
    if (!JS_IsString(argv[0]) || !inside_write(js, &value, argv[1], HALVES_ESCAPED)) {
        inside_done(&value);
        return call_hook_of(HOOK_PUT, this, count, argv);
    }
    text key = text_of(argv[0]);
    if (!key.at) {
        inside_done(&value);
        return JS_EXCEPTION;
    }
    host_put(OF(key), value.at, value.len, &result);
    free_text(key);
    inside_done(&value);
    return promised(or_refusal(answered(&result, as_nothing)));
}

const JSCFunctionListEntry stored_functions[] = {
    JS_CFUNC_DEF("storedGet", 1, get),
    JS_CFUNC_DEF("storedPut", 2, put),
};
const int stored_function_count = sizeof stored_functions / sizeof *stored_functions;

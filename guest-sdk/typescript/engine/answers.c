/* What the host answers, as values of JavaScript's. */

#include "engine.h"

/* The names of the contract's `refusal`. */
static const char *const refusals[] = {"limit-exceeded", "no-such-socket", "no-turn", "invalid", "other"};

/* Throws what the SDK makes an error of its own of. */
JSValue refused(uint8_t why, struct pl_span words) {
    const char *tag = refusals[why <= PL_OTHER ? why : PL_OTHER];
    JSValue error = JS_NewError(js), payload = JS_NewObject(js);
    JS_SetPropertyStr(js, payload, "tag", JS_NewString(js, tag));
    if (why != PL_NO_SUCH_SOCKET && why != PL_NO_TURN) JS_SetPropertyStr(js, payload, "val", string_of(words));
    JS_SetPropertyStr(js, error, "message", JS_NewString(js, tag));
    JS_SetPropertyStr(js, error, "payload", payload);
    free_given();
    return JS_Throw(js, error);
}

JSValue answered(const pl_result *result, JSValue (*convert)(const pl_result *result)) {
    if (result->is_refused) return refused(result->ok.refusal.why, result->ok.refusal.words);
    JSValue value = convert(result);
    free_given();
    return value;
}

JSValue as_nothing(const pl_result *result) {
    (void)result;
    return JS_UNDEFINED;
}

JSValue as_number(const pl_result *result) {
    return JS_NewUint32(js, result->ok.number);
}

JSValue as_flag(const pl_result *result) {
    return JS_NewBool(js, result->ok.flag);
}

JSValue as_string(const pl_result *result) {
    return string_of(result->ok.span);
}

JSValue as_strings(const pl_result *result) {
    const struct pl_span *from = result->ok.span.at;
    JSValue list = JS_NewArray(js);
    for (uint32_t at = 0; at < result->ok.span.len; at++) JS_SetPropertyUint32(js, list, at, string_of(from[at]));
    return list;
}

JSValue as_numbers(const pl_result *result) {
    const uint32_t *from = result->ok.span.at;
    JSValue list = JS_NewArray(js);
    for (uint32_t at = 0; at < result->ok.span.len; at++) JS_SetPropertyUint32(js, list, at, JS_NewUint32(js, from[at]));
    return list;
}

JSValue as_bytes(const pl_result *result) {
    return bytes_of(result->ok.span);
}

JSValue bytes_of(struct pl_span span) {
    return JS_NewUint8ArrayCopy(js, span.at, span.len);
}

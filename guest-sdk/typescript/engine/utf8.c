/* Text and UTF-8, for `src/text.ts`. */

#include "engine.h"

#include <string.h>

static JSValue to_utf8(JSContext *, JSValueConst, int, JSValueConst *argv) {
    text one = text_of(argv[0]);
    if (!one.at) return JS_EXCEPTION;
    JSValue bytes = JS_NewUint8ArrayCopy(js, (const uint8_t *)one.at, one.len);
    free_text(one);
    return bytes;
}

/* How many bytes the letter at `at` has; 0 where it is no UTF-8. */
static size_t letter_len(const uint8_t *at, size_t left) {
    if (at[0] < 0x80) return 1;
    size_t len = at[0] >= 0xC2 && at[0] < 0xE0 ? 2 : (at[0] & 0xF0) == 0xE0 ? 3 : at[0] >= 0xF0 && at[0] < 0xF5 ? 4 : 0;
    if (len == 0 || len > left) return 0;
    for (size_t place = 1; place < len; place++)
        if ((at[place] & 0xC0) != 0x80) return 0;
    /* Longer than it must be, half of a pair, or past the last letter. */
    if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F)) return 0;
    if ((at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F)) return 0;
    return len;
}

bool is_utf8(const char *text, size_t len) {
    const uint8_t *at = (const uint8_t *)text;
    for (size_t place = 0; place < len;) {
        size_t letter = letter_len(at + place, len - place);
        if (!letter) return false;
        place += letter;
    }
    return true;
}

static JSValue from_utf8(JSContext *ctx, JSValueConst, int, JSValueConst *argv) {
    size_t len;
    const char *at = (const char *)JS_GetUint8Array(js, &len, argv[0]);
    if (!at) return JS_EXCEPTION;
    if (!is_utf8(at, len)) return JS_ThrowTypeError(ctx, "these bytes are not UTF-8");
    return JS_NewStringLen(js, at, len);
}

const JSCFunctionListEntry text_functions[] = {
    JS_CFUNC_DEF("fromUtf8", 1, from_utf8),
    JS_CFUNC_DEF("toUtf8", 1, to_utf8),
};
const int text_function_count = sizeof text_functions / sizeof *text_functions;

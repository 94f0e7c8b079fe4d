/* Arguments of the contract's functions that are more than a text or a number. */

#include "engine.h"

#include <stdlib.h>

/* More than the host takes of anything, and few enough that the host copies them, to say so. */
#define MOST (1 << 16)

/* How many things there are in an array, or in what says that it is one. */
bool count_of(JSValueConst array, int64_t *count) {
    if (JS_GetLength(js, array, count) < 0) return false;
    if (*count <= MOST) return true;
    JS_ThrowRangeError(js, "a list has more than %d entries", MOST);
    return false;
}

bool texts_of(JSValueConst array, texts *list) {
    int64_t count = 0;
    *list = (texts){0};
    if (!count_of(array, &count)) return false;
    list->texts = needed(calloc((size_t)count + 1, sizeof *list->texts));
    list->outs = needed(calloc((size_t)count + 1, sizeof *list->outs));
    for (; list->count < (size_t)count; list->count++) {
        JSValue one = JS_GetPropertyInt64(js, array, (int64_t)list->count);
        text found = text_of(one);
        JS_FreeValue(js, one);
        if (!found.at) {
            free_texts(list);
            return false;
        }
        list->texts[list->count] = found;
        list->outs[list->count] = (pl_out){found.at, found.len};
    }
    return true;
}

/* `option<list<string>>`: the texts of a list, of which there are none for `null`. */
bool some_texts_of(JSValueConst array_or_null, texts *list) {
    *list = (texts){0};
    return JS_IsNull(array_or_null) || texts_of(array_or_null, list);
}

void free_texts(texts *list) {
    for (size_t at = 0; at < list->count; at++) free_text(list->texts[at]);
    free(list->texts);
    free(list->outs);
    *list = (texts){0};
}

/* The contract's `payload`, which the SDK has as `{ tag, val }`. `held` is to be freed when it was handed over. */
bool payload_of(JSValueConst value, pl_payload *payload, text *held) {
    JSValue inner = JS_GetPropertyStr(js, value, "val");
    *held = (text){0};
    if (JS_IsException(inner)) return false;
    if (JS_IsString(inner)) {
        *held = text_of(inner);
        *payload = (pl_payload){false, held->at, held->len};
    } else {
        size_t len = 0;
        const uint8_t *at = JS_GetUint8Array(js, &len, inner);
        *payload = (pl_payload){true, (const char *)at, len};
    }
    /* Whoever calls holds the object, and this its value. */
    JS_FreeValue(js, inner);
    return payload->at != NULL;
}

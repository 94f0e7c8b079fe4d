/* Whether two JSON values are the same. */

#include "internal.h"

#include <string.h>

static bool same_numbers(pl_json one, pl_json other) {
    return pl_double(one) == pl_double(other);
}

static bool same_texts(pl_json one, pl_json other) {
    size_t len, there;
    const char *text = pl_text_with_len(one, &len), *twin = pl_text_with_len(other, &there);
    return len == there && memcmp(text, twin, len) == 0;
}

static bool same_arrays(pl_json one, pl_json other) {
    size_t at = 0, there = 0;
    pl_json item, twin;
    while (pl_next(one, &at, NULL, &item))
        if (!pl_next(other, &there, NULL, &twin) || !pl_same(item, twin)) return false;
    return !pl_next(other, &there, NULL, &twin);
}

/* Of several members of one name the first counts, as in pl_at; it alone is compared, and once. */
static bool same_objects(pl_json one, pl_json other) {
    size_t at = 0, there = 0;
    pl_json name, value;
    while (pl_next(one, &at, &name, &value)) {
        const char *member = pl_text(name);
        if (pl_at(one, member).text == value.text && !pl_same(value, pl_at(other, member))) return false;
    }
    while (pl_next(other, &there, &name, &value))
        if (!pl_at(one, pl_text(name)).text) return false;
    return true;
}

bool pl_same(pl_json one, pl_json other) {
    pl_kind kind = pl_kind_of(one);
    if (kind != pl_kind_of(other)) return false;
    switch (kind) {
    case PL_NUMBER: return same_numbers(one, other);
    case PL_TEXT: return same_texts(one, other);
    case PL_ARRAY: return same_arrays(one, other);
    case PL_OBJECT: return same_objects(one, other);
    case PL_BYTES: {
        pl_bytes left = pl_marked(one.text), right = pl_marked(other.text);
        return left.len == right.len && memcmp(left.at, right.at, left.len) == 0;
    }
    default: return one.len == other.len && memcmp(one.text, other.text, one.len) == 0;
    }
}

#pragma clang attribute pop

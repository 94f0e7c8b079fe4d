/* Reads JSON in its place. Nothing here reads past a value's end, whatever stands in it. */

#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    return at;
}

/* The place behind a text, whose opening quote is at `at`; NULL where it does not end. */
static const char *skip_text(const char *at, const char *end) {
    for (at++; at < end; at++) {
        unsigned char letter = (unsigned char)*at;
        if (letter == '"') return at + 1;
        if (letter < 0x20) return NULL;
        if (letter != '\\') continue;
        if (++at == end) return NULL;
        if (*at == 'u') {
            for (int digits = 0; digits < 4; digits++)
                if (++at == end || pl_digit(*at, 16) < 0) return NULL;
        } else if (*at == 0 || !strchr("\"\\/bfnrt", *at)) {
            return NULL;
        }
    }
    return NULL;
}

static const char *skip_digits(const char *at, const char *end) {
    const char *first = at;
    while (at < end && *at >= '0' && *at <= '9') at++;
    return at > first ? at : NULL;
}

static const char *skip_number(const char *at, const char *end) {
    if (*at == '-') at++;
    if (at == end) return NULL;
    const char *digits = at;
    at = skip_digits(at, end);
    if (!at || (*digits == '0' && at > digits + 1)) return NULL;
    if (at < end && *at == '.') at = skip_digits(at + 1, end);
    if (at && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        at = skip_digits(at, end);
    }
    return at;
}

static const char *skip_word(const char *at, const char *end, const char *word) {
    size_t len = strlen(word);
    return (size_t)(end - at) >= len && memcmp(at, word, len) == 0 ? at + len : NULL;
}

static const char *skip(const char *at, const char *end, int depth);

/* The place behind an array or an object. */
static const char *skip_group(const char *at, const char *end, int depth) {
    char close = *at == '{' ? '}' : ']';
    at = skip_space(at + 1, end);
    if (at < end && *at == close) return at + 1;
    while (at < end) {
        if (close == '}') {
            if (*at != '"' || !(at = skip_text(at, end))) return NULL;
            at = skip_space(at, end);
            if (at == end || *at++ != ':') return NULL;
            at = skip_space(at, end);
        }
        if (!(at = skip(at, end, depth + 1))) return NULL;
        at = skip_space(at, end);
        if (at == end) return NULL;
        if (*at == close) return at + 1;
        if (*at++ != ',') return NULL;
        at = skip_space(at, end);
    }
    return NULL;
}

/* The place behind the value that begins at `at`; NULL where it is none, or is nested too deep. */
static const char *skip(const char *at, const char *end, int depth) {
    if (at >= end || depth > PL_DEPTH_MAX) return NULL;
    switch (*at) {
    case '"': return skip_text(at, end);
    case '{':
    case '[': return skip_group(at, end, depth);
    case 't': return skip_word(at, end, "true");
    case 'f': return skip_word(at, end, "false");
    case 'n': return skip_word(at, end, "null");
    case PL_MARK: return (size_t)(end - at) >= PL_MARK_LEN ? at + PL_MARK_LEN : NULL;
    default: return *at == '-' || (*at >= '0' && *at <= '9') ? skip_number(at, end) : NULL;
    }
}

pl_json pl_checked(const char *text, size_t len) {
    const char *end = text + len, *first = skip_space(text, end);
    const char *behind = skip(first, end, 0);
    if (!behind || skip_space(behind, end) != end) return (pl_json){0};
    return (pl_json){first, (size_t)(behind - first)};
}

pl_json pl_parse(const char *text) {
    pl_json value = text && !memchr(text, PL_MARK, strlen(text)) ? pl_checked(text, strlen(text)) : (pl_json){0};
    if (!value.text) pl_fail("json", "this is no JSON");
    return value;
}

pl_kind pl_kind_of(pl_json value) {
    if (!value.text || !value.len) return PL_NONE;
    switch (*value.text) {
    case '"': return PL_TEXT;
    case '{': return PL_OBJECT;
    case '[': return PL_ARRAY;
    case 't':
    case 'f': return PL_BOOL;
    case 'n': return PL_NULL;
    case PL_MARK: return PL_BYTES;
    default: return PL_NUMBER;
    }
}

/* The next member or item: sets `name` to the text of an object's member, quotes included. */
static bool step(pl_json value, size_t *at, pl_json *name, pl_json *item) {
    pl_kind kind = pl_kind_of(value);
    if ((kind != PL_ARRAY && kind != PL_OBJECT) || *at >= value.len) return false;
    const char *end = value.text + value.len, *here = value.text + (*at ? *at : 1);
    here = skip_space(here, end);
    if (here < end && *here == ',') here = skip_space(here + 1, end);
    if (kind == PL_OBJECT) {
        const char *behind = here < end && *here == '"' ? skip_text(here, end) : NULL;
        if (!behind) return false;
        *name = (pl_json){here, (size_t)(behind - here)};
        here = skip_space(behind, end);
        if (here == end || *here != ':') return false;
        here = skip_space(here + 1, end);
    }
    const char *behind = skip(here, end, 0);
    if (!behind) return false;
    *item = (pl_json){here, (size_t)(behind - here)};
    *at = (size_t)(behind - value.text);
    return true;
}

bool pl_next(pl_json value, size_t *at, pl_json *name, pl_json *item) {
    pl_json key = {0};
    bool is_there = step(value, at, &key, item);
    if (is_there && name) *name = key;
    return is_there;
}

pl_json pl_at(pl_json object, const char *name) {
    if (pl_kind_of(object) != PL_OBJECT) return (pl_json){0};
    size_t at = 0, len = strlen(name);
    pl_json key, value;
    while (step(object, &at, &key, &value)) {
        bool plain = !memchr(key.text, '\\', key.len);
        if (plain ? key.len == len + 2 && memcmp(key.text + 1, name, len) == 0 : strcmp(pl_text(key), name) == 0)
            return value;
    }
    return (pl_json){0};
}

pl_json pl_item(pl_json array, size_t place) {
    pl_json key, item;
    size_t at = 0;
    if (pl_kind_of(array) != PL_ARRAY) return (pl_json){0};
    while (step(array, &at, &key, &item))
        if (place-- == 0) return item;
    return (pl_json){0};
}

size_t pl_count(pl_json value) {
    pl_json key, item;
    size_t at = 0, count = 0;
    while (step(value, &at, &key, &item)) count++;
    return count;
}

bool pl_bool(pl_json value) {
    return pl_kind_of(value) == PL_BOOL && *value.text == 't';
}

long long pl_int(pl_json value) {
    if (pl_kind_of(value) != PL_NUMBER) return 0;
    const char *at = value.text, *end = at + value.len;
    bool negative = *at == '-', behind_point = false;
    unsigned long long number = 0, largest = (unsigned long long)INT64_MAX + negative;
    /* How many digits stand behind the point, less those that did not fit any more. */
    long places = 0, exponent = 0;
    for (at += negative; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            behind_point = true;
        } else if (number <= (largest - 9) / 10) {
            number = number * 10 + (unsigned long long)(*at - '0');
            places += behind_point;
        } else if (!behind_point) {
            if (number <= largest / 10) number = number * 10 + (unsigned long long)(*at - '0');
            else places--;
            if (number > largest) number = largest;
        }
    }
    if (at < end) {
        bool less = *++at == '-';
        for (at += *at == '-' || *at == '+'; at < end; at++)
            if (exponent < 10000) exponent = exponent * 10 + (*at - '0');
        if (less) exponent = -exponent;
    }
    for (exponent -= places; exponent > 0 && number; exponent--) number = number > largest / 10 ? largest : number * 10;
    for (; exponent < 0 && number; exponent++) number /= 10;
    return (long long)(negative ? 0 - number : number);
}

double pl_double(pl_json value) {
    return pl_kind_of(value) == PL_NUMBER ? strtod(pl_copy(value.text, value.len), NULL) : 0;
}

/* The code point of `\uXXXX`, whose digits begin at `at`. */
static uint32_t hex4(const char *at) {
    uint32_t code = 0;
    for (int place = 0; place < 4; place++) code = code * 16 + (uint32_t)pl_digit(at[place], 16);
    return code;
}

char *pl_put_utf8(char *to, uint32_t code) {
    if (code == 0) {
        memcpy(to, PL_ZERO, 2);
        to += 2;
    } else if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *to++ = (char)(0xE0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    } else {
        *to++ = (char)(0xF0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3F));
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    }
    return to;
}

/* Reads the escape behind the backslash at `at - 1`; sets where the text goes on. */
static char *unescape(char *to, const char **from, const char *end) {
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const char *at = *from, *letter = strchr(letters, *at);
    if (*at != 'u') {
        *to++ = letter && *letter ? meant[letter - letters] : *at;
        *from = at + 1;
        return to;
    }
    uint32_t code = hex4(at + 1);
    at += 5;
    if (code >= 0xD800 && code < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        uint32_t low = hex4(at + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            at += 6;
        }
    }
    *from = at;
    return pl_put_utf8(to, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
}

const char *pl_text(pl_json value) {
    size_t len;
    return pl_text_with_len(value, &len);
}

const char *pl_text_with_len(pl_json value, size_t *len) {
    *len = 0;
    if (pl_kind_of(value) != PL_TEXT) return "";
    const char *at = value.text + 1, *end = value.text + value.len - 1;
    char *text = pl_alloc((size_t)(end - at) + 1), *to = text;
    while (at < end) {
        if (*at != '\\') *to++ = *at++;
        else if (++at < end) to = unescape(to, &at, end);
    }
    *to = 0;
    *len = (size_t)(to - text);
    return text;
}

#pragma clang attribute pop

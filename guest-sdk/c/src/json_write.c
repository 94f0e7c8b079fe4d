/* Writes JSON. */

#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LITERAL(text) {text, sizeof(text) - 1}

const pl_json pl_null = LITERAL("null"), pl_true = LITERAL("true"), pl_false = LITERAL("false");
const pl_json pl_empty = LITERAL("{}"), pl_empty_array = LITERAL("[]");

int pl_digit(char letter, int base) {
    int digit = letter >= '0' && letter <= '9' ? letter - '0' : (letter | 0x20) >= 'a' ? (letter | 0x20) - 'a' + 10 : base;
    return digit < base ? digit : -1;
}

pl_json pl_str(const char *text) {
    static const char hex[] = "0123456789abcdef";
    pl_out from = pl_out_of(text ? text : "");
    /* The longest escape has 6 letters. */
    char *json = pl_alloc(from.len * 6 + 2), *to = json;
    *to++ = '"';
    for (size_t at = 0; at < from.len; at++) {
        unsigned char letter = (unsigned char)from.at[at];
        if (letter == '"' || letter == '\\') {
            *to++ = '\\';
            *to++ = (char)letter;
        } else if (letter < 0x20) {
            memcpy(to, "\\u00", 4);
            to[4] = hex[letter >> 4];
            to[5] = hex[letter & 15];
            to += 6;
        } else {
            *to++ = (char)letter;
        }
    }
    *to++ = '"';
    return (pl_json){json, (size_t)(to - json)};
}

pl_json pl_num(long long number) {
    char digits[24], *at = digits + sizeof digits;
    unsigned long long rest = number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number;
    do *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0) *--at = '-';
    size_t len = (size_t)(digits + sizeof digits - at);
    return (pl_json){pl_copy(at, len), len};
}

pl_json pl_real(double number) {
    if (number != number || number - number != 0) return pl_null;
    if (number == (double)(long long)(number > -9e15 && number < 9e15 ? number : 0.5)) return pl_num((long long)number);
    char text[40];
    int len = 0;
    for (int digits = 15; digits <= 17; digits++) {
        len = snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    return (pl_json){pl_copy(text, (size_t)len), (size_t)len};
}

pl_json pl_of_bool(bool value) {
    return value ? pl_true : pl_false;
}

void pl_list_raw(pl_list *list, const char *at, size_t len) {
    if (!len) return;
    if (list->len + len > list->size) {
        size_t size = (list->len + len) * 2 + 32;
        list->text = pl_grown(list->text, list->size, size);
        list->size = size;
    }
    memcpy(list->text + list->len, at, len);
    list->len += len;
}

void pl_list_add(pl_list *list, pl_json item) {
    if (!item.text) return;
    if (list->len) pl_list_raw(list, ",", 1);
    pl_list_raw(list, item.text, item.len);
}

void pl_list_set(pl_list *list, const char *name, pl_json value) {
    if (value.text) pl_list_member(list, pl_str(name), value);
}

void pl_list_member(pl_list *list, pl_json name, pl_json value) {
    if (!value.text) return;
    pl_list_add(list, name);
    pl_list_raw(list, ":", 1);
    pl_list_raw(list, value.text, value.len);
}

static pl_json enclosed(const pl_list *list, char open, char close) {
    char *text = pl_alloc(list->len + 2);
    text[0] = open;
    if (list->len) memcpy(text + 1, list->text, list->len);
    text[list->len + 1] = close;
    return (pl_json){text, list->len + 2};
}

pl_json pl_list_json(const pl_list *list) {
    return enclosed(list, '[', ']');
}

pl_json pl_list_object(const pl_list *list) {
    return enclosed(list, '{', '}');
}

pl_json pl_array(const pl_json *items, size_t count) {
    pl_list list = {0};
    for (size_t at = 0; at < count; at++) pl_list_add(&list, items[at].text ? items[at] : pl_null);
    return pl_list_json(&list);
}

pl_json pl_object_of(const char *name, ...) {
    pl_list list = {0};
    va_list rest;
    va_start(rest, name);
    for (; name; name = va_arg(rest, const char *)) pl_list_set(&list, name, va_arg(rest, pl_json));
    va_end(rest);
    return pl_list_object(&list);
}

#pragma clang attribute pop

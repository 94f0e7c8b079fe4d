/* The room's own keys and values. */

#include "host.h"

static const uint8_t nothing[1];

static pl_bytes bytes_of(struct pl_span span) {
    return (pl_bytes){span.len ? span.at : nothing, span.len};
}

static const pl_out *outs(const char *const *keys, size_t count) {
    pl_out *list = pl_alloc(count * sizeof *list + 1);
    for (size_t at = 0; at < count; at++) list[at] = pl_out_of(keys[at]);
    return list;
}

/* Bytes of the storage as JSON; none where they are none. */
static pl_json json_of(pl_bytes bytes) {
    for (size_t at = 0; at < bytes.len; at++)
        if (bytes.at[at] == PL_MARK) return (pl_json){0};
    pl_out text = pl_utf8((const char *)bytes.at, bytes.len);
    return text.at == (const char *)bytes.at ? pl_checked(text.at, text.len) : (pl_json){0};
}

static pl_json read(pl_bytes bytes, const char *key) {
    if (!bytes.at) return (pl_json){0};
    pl_json value = json_of(bytes);
    if (!value.text) {
        pl_list words = {0};
        pl_json name = pl_str(key);
        pl_list_raw(&words, "the value is no JSON: the key ", 30);
        pl_list_raw(&words, name.text, name.len);
        pl_list_raw(&words, "", 1);
        pl_fail("json", words.text);
    }
    return value;
}

pl_bytes pl_get_bytes(const char *key) {
    pl_result result;
    pl_out name = pl_out_of(key);
    host_get(name.at, name.len, &result);
    return pl_took(&result) && result.ok.option.is_some ? bytes_of(result.ok.option.span) : (pl_bytes){0};
}

pl_json pl_get(const char *key) {
    return read(pl_get_bytes(key), key);
}

void pl_put_bytes(const char *key, const void *at, size_t len) {
    pl_result result;
    pl_out name = pl_out_of(key);
    host_put(name.at, name.len, at, len, &result);
    pl_took(&result);
}

void pl_put(const char *key, pl_json value) {
    pl_out text = pl_kept(value);
    pl_put_bytes(key, text.at, text.len);
}

bool pl_delete(const char *key) {
    pl_result result;
    pl_out name = pl_out_of(key);
    host_delete(name.at, name.len, &result);
    return pl_took(&result) && result.ok.flag;
}

const pl_json *pl_get_many(const char *const *keys, size_t count) {
    pl_json *values = pl_alloc(count * sizeof *values + 1);
    pl_result result;
    host_get_many(outs(keys, count), count, &result);
    bool took = pl_took(&result);
    const pl_option *found = took ? result.ok.span.at : NULL;
    for (size_t at = 0; at < count; at++) {
        bool is_there = took && at < result.ok.span.len && found[at].is_some;
        values[at] = is_there ? read(bytes_of(found[at].span), keys[at]) : (pl_json){0};
    }
    return values;
}

void pl_put_many(const pl_entry *entries, size_t count) {
    pl_out *pairs = pl_alloc(count * 2 * sizeof *pairs + 1);
    for (size_t at = 0; at < count; at++) {
        pairs[at * 2] = pl_out_of(entries[at].key);
        pairs[at * 2 + 1] = pl_kept(entries[at].value);
    }
    pl_result result;
    host_put_many(pairs, count, &result);
    pl_took(&result);
}

uint32_t pl_delete_many(const char *const *keys, size_t count) {
    pl_result result;
    host_delete_many(outs(keys, count), count, &result);
    return pl_took(&result) ? result.ok.number : 0;
}

pl_page pl_list_keys(const char *prefix, const char *after, uint32_t limit) {
    pl_result result;
    pl_out begin = pl_out_of(prefix), behind = pl_out_of(after);
    host_scan(begin.at, begin.len, after != NULL, behind.at, behind.len, limit, &result);
    if (!pl_took(&result)) return (pl_page){0};
    size_t count = result.ok.page.entries.len;
    const struct pl_span *from = result.ok.page.entries.at;
    pl_entry *entries = pl_alloc(count * sizeof *entries + 1);
    for (size_t at = 0; at < count; at++) {
        pl_bytes raw = bytes_of(from[at * 2 + 1]);
        entries[at] = (pl_entry){pl_in(from[at * 2].at, from[at * 2].len), json_of(raw), raw};
    }
    return (pl_page){entries, count, result.ok.page.has_next ? pl_in(result.ok.page.next.at, result.ok.page.next.len) : NULL};
}

#pragma clang attribute pop

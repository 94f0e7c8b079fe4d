/* Bytes within JSON: marks in memory, placeholders or base64 outside. */

#include "host.h"
#include "internal.h"

#include <string.h>

/* How many bytes a message carries beside its JSON: `attachments-per-event`. */
#define ATTACHED_MAX 16

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pl_bytes pl_marked(const char *mark) {
    pl_bytes bytes;
    memcpy(&bytes, mark + 1, sizeof bytes);
    return bytes;
}

static void add_base64(pl_list *text, pl_bytes bytes) {
    pl_list_raw(text, "{\"base64\":\"", 11);
    for (size_t at = 0; at < bytes.len; at += 3) {
        size_t left = bytes.len - at;
        uint32_t three = (uint32_t)bytes.at[at] << 16;
        if (left > 1) three |= (uint32_t)bytes.at[at + 1] << 8;
        if (left > 2) three |= bytes.at[at + 2];
        char four[4] = {letters[three >> 18], letters[three >> 12 & 63], letters[three >> 6 & 63], letters[three & 63]};
        if (left < 3) four[3] = '=';
        if (left < 2) four[2] = '=';
        pl_list_raw(text, four, 4);
    }
    pl_list_raw(text, "\"}", 2);
}

/* The next mark of a text; NULL where there is none. Marks are passed as a whole: what is in them is no text. */
static const char *next_mark(const char *at, const char *end) {
    return at < end ? memchr(at, PL_MARK, (size_t)(end - at)) : NULL;
}

/* A value with placeholders in the place of the first marks, as many as a message carries, and base64 in that of the others. */
static pl_json unmark(pl_json value, bool attach) {
    const char *at = value.text, *end = at + value.len, *mark;
    size_t left = attach ? ATTACHED_MAX : 0;
    pl_list text = {0};
    while ((mark = next_mark(at, end))) {
        pl_list_raw(&text, at, (size_t)(mark - at));
        pl_bytes bytes = pl_marked(mark);
        if (left) {
            left--;
            uint32_t number = 0;
            pl_result result;
            host_attach(bytes.at, bytes.len, &result);
            if (pl_took(&result)) number = result.ok.number;
            pl_json placeholder = pl_obj("_placeholder", pl_true, "num", pl_num(number));
            pl_list_raw(&text, placeholder.text, placeholder.len);
        } else {
            add_base64(&text, bytes);
        }
        at = mark + PL_MARK_LEN;
    }
    pl_list_raw(&text, at, (size_t)(end - at));
    return (pl_json){text.text, text.len};
}

static pl_json marked(const void *at, size_t len) {
    static const char nothing[1];
    pl_bytes bytes = {at ? at : nothing, len};
    char *mark = pl_alloc(PL_MARK_LEN);
    mark[0] = PL_MARK;
    memcpy(mark + 1, &bytes, sizeof bytes);
    return (pl_json){mark, PL_MARK_LEN};
}

pl_json pl_of_bytes(const void *at, size_t len) {
    return marked(pl_copy(at, len), len);
}

pl_json pl_of_payload(bool is_binary, const char *at, size_t len) {
    return is_binary ? marked(at, len) : (pl_json){at, len};
}

pl_payload pl_sent(pl_json data) {
    if (!data.text) data = pl_null;
    if (*data.text == PL_MARK) {
        pl_bytes bytes = pl_marked(data.text);
        return (pl_payload){true, (const char *)bytes.at, bytes.len};
    }
    if (next_mark(data.text, data.text + data.len)) data = unmark(data, true);
    pl_out text = pl_utf8(data.text, data.len);
    return (pl_payload){false, text.at, text.len};
}

pl_out pl_kept(pl_json value) {
    if (!value.text) value = pl_null;
    if (next_mark(value.text, value.text + value.len)) value = unmark(value, false);
    return pl_utf8(value.text, value.len);
}

/* Reads base64; none where it is none. */
static pl_bytes unbase64(const char *text) {
    size_t len = strlen(text), found = 0;
    uint8_t *bytes = pl_alloc(len / 4 * 3 + 1);
    if (len % 4) return (pl_bytes){0};
    for (size_t at = 0; at < len; at += 4) {
        uint32_t four = 0;
        size_t pads = at + 4 == len ? (size_t)(text[at + 3] == '=') + (text[at + 2] == '=' && text[at + 3] == '=') : 0;
        for (size_t place = 0; place < 4; place++) {
            const char *letter = place >= 4 - pads ? letters : memchr(letters, text[at + place], sizeof letters - 1);
            if (!letter) return (pl_bytes){0};
            four = four << 6 | (uint32_t)(letter - letters);
        }
        for (size_t place = 0; place < 3 - pads; place++) bytes[found++] = (uint8_t)(four >> (16 - 8 * place));
    }
    return (pl_bytes){bytes, found};
}

pl_bytes pl_bytes_of(pl_json value) {
    if (pl_kind_of(value) == PL_BYTES) return pl_marked(value.text);
    if (pl_kind_of(value) != PL_OBJECT) return (pl_bytes){0};
    pl_json base64 = pl_at(value, "base64"), number = pl_at(value, "num");
    if (pl_count(value) == 1 && pl_kind_of(base64) == PL_TEXT) return unbase64(pl_text(base64));
    if (pl_count(value) != 2 || !pl_bool(pl_at(value, "_placeholder")) || pl_kind_of(number) != PL_NUMBER) return (pl_bytes){0};
    struct pl_span attached;
    host_attachments(&attached);
    const pl_bytes *all = attached.at;
    long long place = pl_int(number);
    if (place < 0 || (size_t)place >= attached.len) return (pl_bytes){0};
    static const uint8_t nothing[1];
    return (pl_bytes){all[place].len ? all[place].at : nothing, all[place].len};
}

#pragma clang attribute pop

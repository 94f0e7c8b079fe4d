/* What a plugin can ask the host for anywhere. */

#include "host.h"

#include <string.h>

double pl_now(void) {
    return host_now();
}

const char *pl_config(const char *key) {
    pl_option value;
    pl_out name = pl_out_of(key);
    host_config(name.at, name.len, &value);
    return value.is_some ? pl_in(value.span.at, value.span.len) : NULL;
}

void pl_log(pl_level level, const char *line) {
    pl_out text = pl_out_of(line);
    host_log(level, text.at, text.len);
}

void pl_random(void *to, size_t len) {
    pl_result result;
    memset(to, 0, len);
    host_random(len > UINT32_MAX ? UINT32_MAX : (uint32_t)len, &result);
    if (pl_took(&result)) memcpy(to, result.ok.span.at, len);
}

const char *pl_random_id(void) {
    uint8_t bytes[16];
    char *text = pl_alloc(33);
    pl_random(bytes, sizeof bytes);
    for (size_t at = 0; at < 32; at++) text[at] = "0123456789abcdef"[at % 2 ? bytes[at / 2] & 15 : bytes[at / 2] >> 4];
    text[32] = 0;
    return text;
}

#pragma clang attribute pop

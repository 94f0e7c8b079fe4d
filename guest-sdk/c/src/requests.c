/* Who may come in. */

#include "internal.h"

#include <string.h>
#include <strings.h>

bool (*pl_authorizer)(const pl_request *request, pl_meta *meta);
struct pl_refusal pl_refusal;

static bool (*own)(const pl_request *request, pl_meta *meta);

/* Asks the plugin. A failure is for the log; whoever wants to connect learns nothing of it. */
static bool authorize(const pl_request *request, pl_meta *meta) {
    bool is_known = own(request, meta);
    if (pl_problem.failed && !pl_refusal.refused) {
        pl_list line = {0};
        const char *const parts[] = {"authorize failed: ", pl_problem.code, ": ", pl_problem.message};
        for (size_t at = 0; at < 4; at++) pl_list_raw(&line, parts[at], strlen(parts[at]));
        pl_list_raw(&line, "", 1);
        pl_log(PL_ERROR, line.text);
        pl_refuse(401, "");
    }
    if (is_known && !meta->client_id && !pl_refusal.refused) meta->client_id = pl_random_id();
    return is_known;
}

void pl_authorize(bool (*fn)(const pl_request *request, pl_meta *meta)) {
    own = fn;
    pl_authorizer = authorize;
}

void pl_refuse(int status, const char *message) {
    /* Another number than an HTTP status of an error becomes 500. */
    if (!pl_refusal.refused) pl_refusal = (struct pl_refusal){true, status < 0 || status > 65535 ? 0 : status, pl_copied(message)};
}

/* A part of a query: `+` is a space, `%41` is `A`, and a `%` without two digits stands for itself. `%00` is the letter NUL as
 * texts here have it; its two bytes, decoded, are no UTF-8, as everywhere outside. */
static const char *decoded(const char *at, const char *end) {
    char *text = pl_alloc((size_t)(end - at) + 1), *to = text;
    for (; at < end; at++) {
        int high = *at == '%' && end - at > 2 ? pl_digit(at[1], 16) : -1, low = high >= 0 ? pl_digit(at[2], 16) : -1;
        if (low >= 0) {
            char letter = (char)(high * 16 + low);
            if (letter == *PL_ZERO) to = pl_put_utf8(to, 0xFFFD);
            else *to++ = letter;
            at += 2;
        } else {
            *to++ = *at == '+' ? ' ' : *at;
        }
    }
    *to = 0;
    pl_out valid = pl_utf8(text, (size_t)(to - text));
    return pl_in(valid.at == text ? text : pl_copy(valid.at, valid.len), valid.len);
}

const char *pl_query(const pl_request *request, const char *name) {
    const char *at = strchr(request->uri, '?'), *end = strchr(request->uri, '#');
    if (!end) end = request->uri + strlen(request->uri);
    if (!at || at > end) return NULL;
    for (at++; at <= end;) {
        const char *behind = memchr(at, '&', (size_t)(end - at));
        if (!behind) behind = end;
        const char *equals = memchr(at, '=', (size_t)(behind - at));
        if (strcmp(decoded(at, equals ? equals : behind), name) == 0) return equals ? decoded(equals + 1, behind) : "";
        at = behind + 1;
    }
    return NULL;
}

const char *pl_header(const pl_request *request, const char *name) {
    for (size_t at = 0; at < request->header_count; at++)
        if (strcasecmp(request->headers[at * 2], name) == 0) return request->headers[at * 2 + 1];
    return NULL;
}

#pragma clang attribute pop

/* What the host calls: the contract's `guest`, as the canonical ABI lowers it. */

#include "host.h"

#include <string.h>

#define GUEST "parlor:room/guest@0.1.0#"
#define EXPORT(name) __attribute__((export_name(name)))

#define CODE_MAX 128
#define MESSAGE_MAX 1024

/* Memory for what the host passes. Texts get a NUL behind them. */
EXPORT("cabi_realloc") void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t size) {
    (void)alignment;
    char *memory = pl_grown(old, old_size, size + 1);
    memory[size] = 0;
    return memory;
}

/* The host has read what a call returned. */
EXPORT("cabi_post_" GUEST "init") void pl_after_init(void *answer) {
    (void)answer;
    pl_free_all();
}

EXPORT("cabi_post_" GUEST "authorize") void pl_after_authorize(void *answer) {
    (void)answer;
    pl_free_all();
}

EXPORT("cabi_post_" GUEST "handle") void pl_after_handle(void *answer) {
    (void)answer;
    pl_free_all();
}

/* The first bytes of a text, cut between two letters. */
static pl_out cut(const char *text, size_t max) {
    pl_out out = pl_out_of(text);
    if (out.len > max) {
        out.len = max;
        while (out.len && ((unsigned char)out.at[out.len] & 0xC0) == 0x80) out.len--;
    }
    return out;
}

/* `result<definition, string>` */
struct pl_defined {
    uint8_t is_err;
    pl_out name_or_words, path;
};

EXPORT(GUEST "init") struct pl_defined *pl_init(void) {
    struct pl_defined *answer = pl_alloc(sizeof *answer);
    pl_forgive();
    pl_room();
    bool is_fine = !pl_problem.failed && pl_start();
    if (is_fine) *answer = (struct pl_defined){0, pl_out_of(pl_room_name), pl_out_of(pl_room_path)};
    else *answer = (struct pl_defined){1, pl_out_of(pl_problem.message), {0}};
    return answer;
}

/* `result<option<meta>, rejection>` */
struct pl_authorized {
    uint8_t is_err;
    union {
        struct {
            uint8_t is_some;
            pl_out user, client;
            const pl_out *channels;
            size_t count;
            pl_out fields;
        } meta;
        struct {
            uint16_t status;
            pl_out words;
        } refused;
    } answer;
};

EXPORT(GUEST "authorize")
struct pl_authorized *pl_authorize_request(const char *uri, size_t uri_len, const char *room, size_t room_len,
                                           const pl_out *headers, size_t count, const char *remote, size_t remote_len) {
    struct pl_authorized *answer = pl_alloc(sizeof *answer);
    memset(answer, 0, sizeof *answer);
    if (!pl_authorizer) return answer;
    const char **names = pl_alloc(count * 2 * sizeof *names + 1);
    for (size_t at = 0; at < count * 2; at++) names[at] = pl_in(headers[at].at, headers[at].len);
    pl_request request = {pl_in(uri, uri_len), pl_in(room, room_len), pl_in(remote, remote_len), names, count};
    pl_meta meta = {0};
    pl_forgive();
    pl_refusal = (struct pl_refusal){0};
    bool is_known = pl_authorizer(&request, &meta);
    if (pl_refusal.refused) {
        answer->is_err = 1;
        answer->answer.refused.status = (uint16_t)pl_refusal.status;
        answer->answer.refused.words = pl_out_of(pl_refusal.message);
    } else if (is_known) {
        pl_out *channels = pl_alloc(meta.channel_count * sizeof *channels + 1);
        for (size_t at = 0; at < meta.channel_count; at++) channels[at] = pl_out_of(meta.channels[at]);
        answer->answer.meta.is_some = 1;
        answer->answer.meta.user = pl_out_of(meta.user_id);
        answer->answer.meta.client = pl_out_of(meta.client_id);
        answer->answer.meta.channels = channels;
        answer->answer.meta.count = meta.channel_count;
        answer->answer.meta.fields = pl_kept(meta.fields.text ? meta.fields : pl_empty);
    }
    return answer;
}

/* `result<option<payload>, failure>` */
struct pl_handled {
    uint8_t is_err;
    union {
        struct {
            uint8_t is_some;
            uint32_t is_binary;
            pl_out data;
        } answer;
        struct {
            pl_out code, message;
            uint8_t for_sender;
        } failure;
    } is;
};

EXPORT(GUEST "handle")
struct pl_handled *pl_handle(const char *cause, size_t cause_len, const char *name, size_t name_len, bool has_channel,
                             const char *channel, size_t channel_len, bool has_payload, uint32_t is_binary, const char *data,
                             size_t data_len, bool has_socket, uint32_t socket, bool answer_wanted, double accepted_at) {
    struct pl_handled *handled = pl_alloc(sizeof *handled);
    memset(handled, 0, sizeof *handled);
    pl_event event = {
        .name = pl_in(name, name_len),
        .cause = pl_in(cause, cause_len),
        .channel = has_channel ? pl_in(channel, channel_len) : NULL,
        .socket = socket,
        .has_socket = has_socket,
        .answer_wanted = answer_wanted,
        .accepted_at = accepted_at,
    };
    if (has_payload) event.data = pl_of_payload(is_binary, data, data_len);
    pl_forgive();
    pl_spreading.waits = false;
    if (pl_follower) pl_follower->begin(&event);
    pl_dispatch(&event);
    /* A state that is left behind is no moment to say anything. */
    if (pl_follower && !pl_problem.failed && strcmp(event.cause, "$suspend") != 0) pl_follower->tell();
    if (!pl_problem.failed && event.answer.text) {
        pl_payload sent = pl_sent(event.answer);
        if (event.answer_is_spread) pl_spreading.call();
        handled->is.answer.is_some = 1;
        handled->is.answer.is_binary = sent.is_binary;
        handled->is.answer.data = (pl_out){sent.at, sent.len};
    }
    if (pl_follower) pl_follower->end(pl_problem.failed);
    if (pl_problem.failed) {
        handled->is_err = 1;
        handled->is.failure.code = cut(pl_problem.code, CODE_MAX);
        handled->is.failure.message = cut(pl_problem.message, MESSAGE_MAX);
        handled->is.failure.for_sender = pl_problem.for_sender;
    }
    return handled;
}

#pragma clang attribute pop

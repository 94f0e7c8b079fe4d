/* Sockets, and the room that they are in. */

#include "host.h"

#include <string.h>

/* How many sockets the host is asked for at once, which is the most. */
#define SOCKETS_PAGE 1000

/* A text of the host, which has a NUL behind it. */
static const char *text_of(struct pl_span span) {
    return pl_in(span.at, span.len);
}

static const char *const *texts_of(struct pl_span list) {
    const struct pl_span *from = list.at;
    const char **texts = pl_alloc((list.len + 1) * sizeof *texts);
    for (size_t at = 0; at < list.len; at++) texts[at] = text_of(from[at]);
    texts[list.len] = NULL;
    return texts;
}

pl_meta pl_meta_of(pl_socket socket) {
    pl_result result;
    host_get_meta(socket, &result);
    if (!pl_took(&result)) return (pl_meta){"", "", texts_of((struct pl_span){0}), 0, pl_empty};
    struct pl_span fields = result.ok.meta.fields;
    return (pl_meta){
        .user_id = text_of(result.ok.meta.user),
        .client_id = text_of(result.ok.meta.client),
        .channels = texts_of(result.ok.meta.channels),
        .channel_count = result.ok.meta.channels.len,
        .fields = {fields.at, fields.len},
    };
}

/* Who follows a channel is told before it changes. */
const struct pl_follower *pl_follower;

static void touch(const char *channel) {
    if (pl_follower) pl_follower->touch(channel);
}

void pl_join(pl_socket socket, const char *channel) {
    touch(channel);
    pl_result result;
    pl_out name = pl_out_of(channel);
    host_join(socket, name.at, name.len, &result);
    pl_took(&result);
}

void pl_leave(pl_socket socket, const char *channel) {
    touch(channel);
    pl_result result;
    pl_out name = pl_out_of(channel);
    host_leave(socket, name.at, name.len, &result);
    pl_took(&result);
}

void pl_set_fields(pl_socket socket, pl_json fields) {
    pl_result result;
    pl_out text = pl_kept(fields);
    host_set_fields(socket, text.at, text.len, &result);
    pl_took(&result);
}

void pl_close(pl_socket socket, int code, const char *reason) {
    touch(NULL);
    pl_result result;
    pl_out words = pl_out_of(reason);
    /* What is no such number is refused by the host. */
    host_close(socket, code < 0 || code > 65535 ? 0 : (uint32_t)code, words.at, words.len, &result);
    pl_took(&result);
}

const char *pl_room_id(void) {
    pl_result result;
    host_room_id(&result);
    return pl_took(&result) ? text_of(result.ok.span) : "";
}

uint32_t pl_session_count(void) {
    pl_result result;
    host_session_count(&result);
    return pl_took(&result) ? result.ok.number : 0;
}

const pl_socket *pl_sockets(const char *user, size_t *count) {
    pl_result result;
    pl_out of = pl_out_of(user);
    host_present(user != NULL, of.at, of.len, &result);
    struct pl_span sockets = pl_took(&result) ? result.ok.span : (struct pl_span){0};
    *count = sockets.len;
    return sockets.at;
}

const pl_socket *pl_sockets_page(const char *channel, const pl_socket *after, uint32_t limit, size_t *count) {
    pl_result result;
    pl_out of = pl_out_of(channel);
    host_of_channel(of.at, of.len, after != NULL, after ? *after : 0, limit, &result);
    struct pl_span sockets = pl_took(&result) ? result.ok.span : (struct pl_span){0};
    *count = sockets.len;
    return sockets.at;
}

const pl_socket *pl_sockets_in(const char *channel, size_t *count) {
    pl_socket *all = NULL;
    size_t found = SOCKETS_PAGE;
    for (*count = 0; found == SOCKETS_PAGE; *count += found) {
        const pl_socket *page = pl_sockets_page(channel, *count ? all + *count - 1 : NULL, SOCKETS_PAGE, &found);
        if (!*count && found < SOCKETS_PAGE) {
            *count = found;
            return page;
        }
        all = pl_grown(all, *count * sizeof *all, (*count + found) * sizeof *all + 1);
        if (found) memcpy(all + *count, page, found * sizeof *all);
    }
    return all;
}

const char *const *pl_user_ids(size_t *count) {
    pl_result result;
    host_user_ids(&result);
    struct pl_span users = pl_took(&result) ? result.ok.span : (struct pl_span){0};
    *count = users.len;
    return texts_of(users);
}

#pragma clang attribute pop

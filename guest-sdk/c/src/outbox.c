/* Saying things to clients. */

#include "host.h"

struct pl_spreading pl_spreading;

/* What is said takes a spread that waits: the host is told right before, and not by pl_spread, which an answer may follow. */
static void take_spread(void) {
    if (pl_spreading.waits) pl_spreading.call();
    pl_spreading.waits = false;
}

static uint32_t counted(const pl_result *result) {
    return pl_took(result) ? result->ok.number : 0;
}

/* Names as the host reads a list of them. */
static const pl_out *outs(const char *const *names, size_t count) {
    pl_out *list = pl_alloc(count * sizeof *list + 1);
    for (size_t at = 0; at < count; at++) list[at] = pl_out_of(names[at]);
    return list;
}

/* `option<list<string>>`: NULL is none. */
#define SOME(names, count) (names) != NULL, outs(names, (names) ? (count) : 0), (names) ? (count) : 0

/* The name and the data of an emit, ready to be said. */
#define SAID(name, data) \
    pl_result result;    \
    pl_payload said = pl_sent(data); \
    pl_out event_name = pl_out_of(name); \
    take_spread()
#define EVENT event_name.at, event_name.len, said.is_binary, said.at, said.len

uint32_t pl_emit(const pl_event *event, const char *name, pl_json data) {
    if (!event->has_socket) {
        pl_spreading.waits = false;
        pl_fail("no-socket", "this event has no socket to answer to");
        return 0;
    }
    return pl_emit_socket(event->socket, name, data);
}

uint32_t pl_emit_socket(pl_socket socket, const char *name, pl_json data) {
    SAID(name, data);
    host_to_socket(socket, EVENT, &result);
    return counted(&result);
}

uint32_t pl_emit_all(const char *name, pl_json data) {
    return pl_emit_channel("default", name, data);
}

uint32_t pl_emit_channel(const char *channel, const char *name, pl_json data) {
    SAID(name, data);
    pl_out to = pl_out_of(channel);
    host_to_channel(to.at, to.len, EVENT, &result);
    return counted(&result);
}

uint32_t pl_emit_except(const char *channel, const char *const *clients, size_t count, const char *name, pl_json data) {
    SAID(name, data);
    pl_out to = pl_out_of(channel);
    host_to_channel_except(to.at, to.len, outs(clients, count), count, EVENT, &result);
    return counted(&result);
}

uint32_t pl_emit_some(const char *channel, const pl_whom *whom, const char *name, pl_json data) {
    SAID(name, data);
    pl_out to = pl_out_of(channel);
    host_to_channel_some(to.at, to.len, SOME(whom->users, whom->user_count), SOME(whom->clients, whom->client_count),
                         outs(whom->excluded, whom->excluded ? whom->excluded_count : 0),
                         whom->excluded ? whom->excluded_count : 0, EVENT, &result);
    return counted(&result);
}

void pl_emit_room(const char *room, const char *channel, const pl_whom *whom, const char *name, pl_json data) {
    static const pl_whom anybody;
    if (!whom) whom = &anybody;
    if (whom->excluded) {
        pl_spreading.waits = false;
        pl_fail("invalid", "an emit into another room excludes nobody");
        return;
    }
    SAID(name, data);
    pl_out to = pl_out_of(room), in = pl_out_of(channel);
    host_to_room(to.at, to.len, channel != NULL, in.at, in.len, SOME(whom->users, whom->user_count),
                 SOME(whom->clients, whom->client_count), EVENT, &result);
    pl_took(&result);
}

uint32_t pl_emit_user(const char *user, const char *name, pl_json data) {
    SAID(name, data);
    pl_out to = pl_out_of(user);
    host_to_user(to.at, to.len, EVENT, &result);
    return counted(&result);
}

uint32_t pl_emit_clients(const char *const *clients, size_t count, const char *name, pl_json data) {
    SAID(name, data);
    host_to_clients(outs(clients, count), count, EVENT, &result);
    return counted(&result);
}

uint32_t pl_emit_to(const char *target, const char *name, pl_json data) {
    SAID(name, data);
    pl_out to = pl_out_of(target);
    host_to_named(to.at, to.len, EVENT, &result);
    return counted(&result);
}

static void spread(void) {
    pl_result result;
    host_spread(&result);
    pl_took(&result);
}

void pl_spread(void) {
    pl_spreading = (struct pl_spreading){spread, true};
}

void pl_ask(pl_socket socket, const char *name, pl_json data, const char *ask, uint32_t timeout_ms) {
    SAID(name, data);
    pl_out ask_name = pl_out_of(ask);
    host_ask(socket, EVENT, ask_name.at, ask_name.len, timeout_ms, &result);
    pl_took(&result);
}

uint32_t pl_arguments(void) {
    return host_arguments();
}

#pragma clang attribute pop

/* Who is in a channel, told to its sockets. */

#include "host.h"

#include <stdlib.h>
#include <string.h>

/* How much of a list of users a newcomer is told, so that it always fits into an emit. */
#define STATE_BYTES (128 << 10)

/* A socket that the others of its channel know of. */
typedef struct present {
    pl_socket socket;
    const char *user;
} present;

/* Sockets, in ascending order. */
typedef struct presents {
    present *at;
    size_t count;
} presents;

typedef struct followed {
    char *name;
    /* Who is in the channel, as its sockets were told: one block with the users' ids. */
    presents known;
    /* Whether that is of use: a new instance asks who is there, and all of them know it. */
    bool is_loaded;
    /* Whether it must be compared with the host. */
    bool is_stale;
    /* What is known when this turn has committed. */
    presents next;
    bool is_told;
} followed;

static followed *channels;
static size_t channel_count;
/* The socket that came or left with this turn. */
static const pl_event *came, *left;

static void *or_trap(void *memory) {
    if (!memory) __builtin_trap();
    return memory;
}

/* A list in memory that lives on. */
static presents kept(presents list) {
    size_t texts = 0;
    for (size_t at = 0; at < list.count; at++) texts += strlen(list.at[at].user) + 1;
    present *block = or_trap(malloc(list.count * sizeof *block + texts + 1));
    char *text = (char *)(block + list.count);
    for (size_t at = 0; at < list.count; at++) {
        block[at] = (present){list.at[at].socket, text};
        text = stpcpy(text, list.at[at].user) + 1;
    }
    return (presents){block, list.count};
}

/* Who is in the channel: the host is asked who they are only of those that are not known. */
static presents now_in(const char *channel, presents known) {
    presents now = {0};
    const pl_socket *sockets = pl_sockets_in(channel, &now.count);
    now.at = pl_alloc(now.count * sizeof *now.at + 1);
    for (size_t at = 0, old = 0; at < now.count && !pl_problem.failed; at++) {
        while (old < known.count && known.at[old].socket < sockets[at]) old++;
        bool is_known = old < known.count && known.at[old].socket == sockets[at];
        now.at[at] = (present){sockets[at], is_known ? known.at[old].user : pl_meta_of(sockets[at]).user_id};
    }
    return now;
}

/* Who was in the channel before this turn. */
static presents before_in(const char *channel) {
    presents now = now_in(channel, (presents){0});
    present *all = pl_alloc((now.count + 1) * sizeof *all);
    size_t count = 0;
    pl_meta gone = {0};
    if (left && !pl_problem.failed) {
        gone = pl_meta_of(left->socket);
        /* Where its $disconnect was lost to the disk, the host knows the socket no more. */
        if (pl_problem.failed) pl_forgive();
    }
    bool was_in = false;
    for (size_t at = 0; at < gone.channel_count; at++) was_in |= strcmp(gone.channels[at], channel) == 0;
    for (size_t at = 0; at < now.count; at++) {
        if (was_in && left->socket < now.at[at].socket) {
            all[count++] = (present){left->socket, gone.user_id};
            was_in = false;
        }
        if (!came || now.at[at].socket != came->socket) all[count++] = now.at[at];
    }
    if (was_in) all[count++] = (present){left->socket, gone.user_id};
    return (presents){all, count};
}

static void touch(const char *channel) {
    for (size_t at = 0; at < channel_count; at++) {
        followed *one = &channels[at];
        if (channel && strcmp(one->name, channel) != 0) continue;
        one->is_stale = true;
        if (one->is_loaded) continue;
        presents before = before_in(one->name);
        if (pl_problem.failed) return;
        one->known = kept(before);
        one->is_loaded = true;
    }
}

/* Whether the event's socket has left, and nobody was told yet. */
static bool has_left(const pl_event *event) {
    if (strcmp(event->cause, "$disconnect") == 0) return true;
    /* Where a $disconnect trapped, the instance that comes next hears of the socket by $error alone. */
    if (strcmp(event->cause, "$error") != 0) return false;
    const char *failed = pl_text(pl_at(event->data, "event"));
    return failed && strcmp(failed, "$disconnect") == 0;
}

static void begin(const pl_event *event) {
    came = strcmp(event->cause, "$connect") == 0 ? event : NULL;
    left = has_left(event) ? event : NULL;
    if (came || left) touch(NULL);
}

/* Those that are not among the others. */
static presents without(presents all, presents others) {
    presents rest = {pl_alloc(all.count * sizeof *rest.at + 1), 0};
    for (size_t at = 0, other = 0; at < all.count; at++) {
        while (other < others.count && others.at[other].socket < all.at[at].socket) other++;
        if (other == others.count || others.at[other].socket != all.at[at].socket) rest.at[rest.count++] = all.at[at];
    }
    return rest;
}

static int by_user(const void *one, const void *other) {
    return strcmp(((const present *)one)->user, ((const present *)other)->user);
}

static presents sorted_by_user(presents list) {
    presents sorted = {pl_alloc(list.count * sizeof *sorted.at + 1), list.count};
    if (list.count) memcpy(sorted.at, list.at, list.count * sizeof *sorted.at);
    qsort(sorted.at, sorted.count, sizeof *sorted.at, by_user);
    return sorted;
}

/* Tells of the users of these sockets, each once, that are not there by others. It is said to some of the channel, which is nothing
 * that its history keeps. */
static void tell_others(const char *channel, const char *event, presents of, presents there, const pl_whom *whom) {
    presents others = sorted_by_user(there);
    for (size_t at = 0; at < of.count && !pl_problem.failed; at++) {
        bool is_there = others.count && bsearch(&of.at[at], others.at, others.count, sizeof *others.at, by_user);
        for (size_t old = 0; old < at && !is_there; old++) is_there = by_user(&of.at[old], &of.at[at]) == 0;
        if (is_there) continue;
        pl_emit_some(channel, whom, event, pl_obj("channel", pl_str(channel), "userId", pl_str(of.at[at].user)));
    }
}

static pl_json state_of(const char *channel, presents now) {
    presents all = sorted_by_user(now);
    pl_list users = {0};
    size_t bytes = 0, more = 0;
    for (size_t at = 0; at < all.count;) {
        size_t end = at + 1;
        while (end < all.count && by_user(&all.at[at], &all.at[end]) == 0) end++;
        pl_json user = pl_obj("userId", pl_str(all.at[at].user), "clients", pl_num((long long)(end - at)));
        bytes += user.len;
        if (bytes > STATE_BYTES) more++;
        else pl_list_add(&users, user);
        at = end;
    }
    pl_json left_out = more ? pl_num((long long)more) : (pl_json){0};
    return pl_obj("channel", pl_str(channel), "users", pl_list_json(&users), "more", left_out);
}

static void tell_of(const char *channel, presents known, presents now) {
    presents newcomers = without(now, known), leavers = without(known, now);
    pl_whom whom = {0};
    tell_others(channel, "presence.leave", leavers, now, &whom);
    if (!newcomers.count) return;
    const char **clients = pl_alloc(newcomers.count * sizeof *clients);
    for (size_t at = 0; at < newcomers.count; at++) clients[at] = pl_meta_of(newcomers.at[at].socket).client_id;
    whom.excluded = clients;
    whom.excluded_count = newcomers.count;
    tell_others(channel, "presence.join", newcomers, known, &whom);
    pl_json state = state_of(channel, now);
    for (size_t at = 0; at < newcomers.count && !pl_problem.failed; at++)
        pl_emit_socket(newcomers.at[at].socket, "presence.state", state);
}

static void tell(void) {
    pl_spreading.waits = false;
    for (size_t at = 0; at < channel_count && !pl_problem.failed; at++) {
        followed *one = &channels[at];
        if (!one->is_stale) continue;
        presents now = now_in(one->name, one->known);
        if (!pl_problem.failed) tell_of(one->name, one->known, now);
        one->next = now;
        one->is_told = true;
    }
}

static void end(bool failed) {
    for (size_t at = 0; at < channel_count; at++) {
        followed *one = &channels[at];
        if (one->is_told && !failed) {
            presents old = one->known;
            one->known = kept(one->next);
            free(old.at);
            one->is_stale = false;
        }
        one->is_told = false;
    }
}

/* The host raises only what somebody handles. */
static void nothing(pl_event *event) {
    (void)event;
}

static const struct pl_follower follower = {begin, touch, tell, end};

void pl_presence(const char *channel) {
    for (size_t at = 0; at < channel_count; at++)
        if (strcmp(channels[at].name, channel) == 0) return;
    if (!pl_follower) {
        pl_follower = &follower;
        pl_on_connect(nothing);
        pl_on_disconnect(nothing);
        pl_on_error(nothing);
    }
    channels = or_trap(realloc(channels, (channel_count + 1) * sizeof *channels));
    channels[channel_count++] = (followed){.name = strcpy(or_trap(malloc(strlen(channel) + 1)), channel)};
}

#pragma clang attribute pop

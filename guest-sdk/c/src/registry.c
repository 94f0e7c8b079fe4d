/* The handlers, and what the host must be asked for so that they run. */

#include "host.h"

#include <stdlib.h>
#include <string.h>

typedef struct pl_registered {
    pl_table table;
    pl_handler number;
    char *name;
    pl_fn *fn;
    void *own;
} pl_registered;

static pl_registered *all;
static size_t count, room_for;
static pl_handler last;
/* Whether the host knows the handlers: from then on it is told of each change. */
static bool started;
/* Set with the first handler of a timer or an ask, so that a plugin without them does not import the log for this. Not static:
 * else the compiler would see that it is one function or none, and call that. */
extern void (*pl_unhandled)(const pl_event *event);
void (*pl_unhandled)(const pl_event *event);

/* The event that the host must raise so that handlers of a name run. */
static const char *cause_of(pl_table table, const char *name) {
    return table == PL_TIMERS ? "$timer" : table == PL_ACKS ? "$ack" : name;
}

static pl_table table_of(const char *cause) {
    return strcmp(cause, "$timer") == 0 ? PL_TIMERS : strcmp(cause, "$ack") == 0 ? PL_ACKS : PL_EVENTS;
}

static bool wanted(const char *cause) {
    for (size_t at = 0; at < count; at++)
        if (strcmp(cause_of(all[at].table, all[at].name), cause) == 0) return true;
    return false;
}

static bool ask_for(const char *cause) {
    pl_result result;
    pl_out name = pl_out_of(cause);
    host_on(name.at, name.len, &result);
    return pl_took(&result);
}

static void unless_wanted(const char *cause) {
    if (!started || wanted(cause)) return;
    pl_result result;
    pl_out name = pl_out_of(cause);
    host_off(name.at, name.len, &result);
    pl_took(&result);
}

static void *or_trap(void *memory) {
    if (!memory) __builtin_trap();
    return memory;
}

pl_handler pl_add(pl_table table, const char *name, pl_fn *fn, void *own) {
    const char *cause = cause_of(table, name);
    if (started && !wanted(cause) && !ask_for(cause)) return 0;
    if (count == room_for) {
        room_for = room_for * 2 + 8;
        all = or_trap(realloc(all, room_for * sizeof *all));
    }
    char *copy = or_trap(malloc(strlen(name) + 1));
    strcpy(copy, name);
    all[count++] = (pl_registered){table, ++last, copy, fn, own};
    return last;
}

static void remove_at(size_t at) {
    free(all[at].name);
    memmove(all + at, all + at + 1, (--count - at) * sizeof *all);
}

bool pl_off(pl_handler handler) {
    for (size_t at = 0; at < count; at++) {
        if (all[at].number != handler) continue;
        const char *name = cause_of(all[at].table, all[at].name);
        const char *cause = pl_copy(name, strlen(name));
        remove_at(at);
        unless_wanted(cause);
        return true;
    }
    return false;
}

bool pl_off_all(const char *event) {
    size_t before = count;
    for (size_t at = count; at-- > 0;)
        if (strcmp(cause_of(all[at].table, all[at].name), event) == 0) remove_at(at);
    if (count != before) unless_wanted(event);
    return count != before;
}

bool pl_start(void) {
    started = true;
    for (size_t at = 0; at < count; at++) {
        const char *cause = cause_of(all[at].table, all[at].name);
        size_t first = 0;
        while (strcmp(cause_of(all[first].table, all[first].name), cause) != 0) first++;
        if (first == at && !ask_for(cause)) return false;
    }
    return true;
}

static void warn_of(const pl_event *event) {
    static const char *const words[] = {"nobody handles the timer \"", "nobody handles the answer to the ask \""};
    const char *before = words[strcmp(event->cause, "$ack") == 0];
    pl_list line = {0};
    pl_list_raw(&line, before, strlen(before));
    pl_list_raw(&line, event->name, strlen(event->name));
    pl_list_raw(&line, "\"", 2);
    pl_log(PL_WARN, line.text);
}

pl_handler pl_on(const char *event, pl_fn *fn) {
    return pl_add(PL_EVENTS, event, fn, NULL);
}

pl_handler pl_on_with(const char *event, pl_fn *fn, void *own) {
    return pl_add(PL_EVENTS, event, fn, own);
}

pl_handler pl_on_timer(const char *name, pl_fn *fn) {
    pl_unhandled = warn_of;
    return pl_add(PL_TIMERS, name, fn, NULL);
}

pl_handler pl_on_ack(const char *name, pl_fn *fn) {
    pl_unhandled = warn_of;
    return pl_add(PL_ACKS, name, fn, NULL);
}

#define HOOK(function, hook) \
    pl_handler function(pl_fn *fn) { return pl_on(hook, fn); }

HOOK(pl_on_connect, "$connect")
HOOK(pl_on_disconnect, "$disconnect")
HOOK(pl_on_user_join, "$user-join")
HOOK(pl_on_user_leave, "$user-leave")
HOOK(pl_on_lost, "$lost")
HOOK(pl_on_back, "$back")
HOOK(pl_on_message, "$message")
HOOK(pl_on_error, "$error")
HOOK(pl_on_restore, "$restore")
HOOK(pl_on_check, "$check")
HOOK(pl_on_alarm, "$alarm")

/* Adds the handlers of a name to those that are to run. */
static size_t collect(pl_registered *to, pl_table table, const char *name) {
    size_t found = 0;
    for (size_t at = 0; at < count; at++)
        if (all[at].table == table && strcmp(all[at].name, name) == 0) to[found++] = all[at];
    return found;
}

/* Runs the handlers that the event began with, its own before those for all; the first failure ends it. */
void pl_dispatch(pl_event *event) {
    const char *cause = event->cause;
    pl_table table = table_of(cause);
    pl_registered *to_run = pl_alloc((count + 1) * sizeof *to_run);
    size_t found = 0;
    if (table != PL_EVENTS) found = collect(to_run, table, event->name);
    found += collect(to_run + found, PL_EVENTS, cause);
    /* `*` is for events of clients. Hooks and the bare keepalive are none. */
    bool is_keepalive = strcmp(event->name, "ping") == 0 && !event->data.text && !event->channel;
    if (*cause != '$' && strcmp(cause, "*") != 0 && !is_keepalive) found += collect(to_run + found, PL_EVENTS, "*");
    if (table != PL_EVENTS && !found && pl_unhandled) pl_unhandled(event);
    for (size_t at = 0; at < found && !pl_problem.failed; at++) {
        event->own = to_run[at].own;
        to_run[at].fn(event);
    }
}

#pragma clang attribute pop

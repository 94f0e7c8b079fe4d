/* What `tests/load/guest` does in Rust. */

#include "parlor.h"

static pl_json stamped(const pl_event *event) {
    pl_json n = pl_at(event->data, "n"), text = pl_at(event->data, "text");
    return pl_obj("n", n, "text", text, "at", pl_num((long long)event->accepted_at));
}

static void echo(pl_event *event) {
    pl_emit(event, "echo", stamped(event));
}

/* The boundary alone, for the benchmark: nothing is read or written. */
static void relay(pl_event *event) {
    pl_emit(event, "relay", event->data);
}

static void say(pl_event *event) {
    pl_emit_all("say", stamped(event));
}

static void recall(pl_event *event) {
    static const char *const keys[] = {"first", "second", "third"};
    for (size_t at = 0; at < sizeof keys / sizeof *keys; at++) {
        if (!pl_get(keys[at]).text) pl_put(keys[at], pl_at(event->data, "text"));
    }
    pl_emit(event, "recall", stamped(event));
}

PL_ROOM("bench", "/bench") {
    pl_on("echo", echo);
    pl_on("relay", relay);
    pl_on("say", say);
    pl_on("recall", recall);
}

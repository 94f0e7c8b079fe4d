/* One event for each fault. */

#include "parlor.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct player {
    int score;
    struct player *next;
};

static int list[4] = {1, 2, 3, 4};

static void null_access(pl_event *event) {
    struct player *first = pl_int(event->data) ? (struct player *)list : NULL;
    pl_emit(event, "score", pl_num(first->score));
}

static void past_the_end(pl_event *event) {
    pl_emit(event, "item", pl_num(list[pl_int(event->data)]));
}

static void far_away(pl_event *event) {
    volatile int *at = (int *)0x70000000;
    pl_emit(event, "far", pl_num(*at));
}

static void overflow(pl_event *event) {
    int seats = (int)pl_int(event->data);
    pl_emit(event, "seats", pl_num(seats * seats));
}

static void endless(pl_event *event) {
    for (volatile unsigned turns = 0;; turns++) continue;
}

static void memory(pl_event *event) {
    for (;;) {
        char *block = pl_alloc(1 << 20);
        block[0] = 1;
    }
}

static void own_memory(pl_event *event) {
    for (;;) {
        char *block = malloc(1 << 20);
        block[0] = 2;
    }
}

static long long deeper(long long depth) {
    volatile long long here[64] = {depth};
    return deeper(here[0] + 1) + here[0];
}

static void recursion(pl_event *event) {
    pl_emit(event, "depth", pl_num(deeper(0)));
}

static void gives_up(pl_event *event) {
    abort();
}

static void asserts(pl_event *event) {
    assert(pl_int(event->data) == 1);
}

static void prints(pl_event *event) {
    printf("printed %lld\n", pl_int(event->data));
    fflush(stdout);
}

static void restored(pl_event *event) {
    pl_emit_all("restored", pl_at(event->data, "reason"));
}

static void ping(pl_event *event) {
    pl_emit(event, "works", event->data);
}

PL_ROOM("c-faults", "/c-faults") {
    pl_on("null", null_access);
    pl_on("past", past_the_end);
    pl_on("far", far_away);
    pl_on("overflow", overflow);
    pl_on("endless", endless);
    pl_on("memory", memory);
    pl_on("own-memory", own_memory);
    pl_on("recursion", recursion);
    pl_on("abort", gives_up);
    pl_on("assert", asserts);
    pl_on("print", prints);
    pl_on("works", ping);
    pl_on_restore(restored);
}

/* What the plugin keeps in memory, and how that goes over to the next instance. */

#include "parlor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A handler that `on` registered. */
typedef struct registered {
    struct registered *next;
    pl_handler handler;
    pl_json ops;
    char tag[];
} registered;

static struct {
    /* What `remember` set, and what goes over. */
    pl_json value;
    registered *handlers;
    /* What `$error` told, as the items of an array. */
    pl_json errors;
    /* What `$suspend` does first. */
    pl_json on_suspend;
    pl_json restored, resumed;
    /* Where `next` is, within the operations of one event. */
    long long next;
} memory;

/* Replaces a value that outlives the call. */
static void keep(pl_json *to, pl_json value) {
    char *copy = malloc(value.len + 1);
    memcpy(copy, value.text, value.len);
    free((char *)to->text);
    *to = (pl_json){copy, value.len};
}

static pl_json or_null(pl_json value) {
    return value.text ? value : pl_null;
}

/* With what the instance began. */
static pl_json life(void) {
    return pl_obj("version", pl_num(VERSION), "restored", or_null(memory.restored), "resumed", or_null(memory.resumed),
                  "memory", or_null(memory.value));
}

static pl_json take_errors(void) {
    pl_json errors = memory.errors.text ? memory.errors : pl_empty_array;
    char *copy = memcpy(pl_alloc(errors.len), errors.text, errors.len);
    keep(&memory.errors, pl_empty_array);
    return (pl_json){copy, errors.len};
}

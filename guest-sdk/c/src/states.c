/* States on their way from one instance to the next: {"schema", "state"}. */

#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define SCHEMA_MAX 128

typedef struct pl_taker {
    struct pl_taker *next;
    pl_fn *fn;
    char schema[SCHEMA_MAX + 1];
} pl_taker;

static pl_taker *takers;
static pl_fn *take_any, *give;
static char given_schema[SCHEMA_MAX + 1];
static pl_handler suspends, resumes;

/* Registers a hook anew: pl_off_all may have removed it. The new one comes before the old one goes, so that the host need not be
 * told. */
static void renew(pl_handler *handler, const char *hook, pl_fn *fn) {
    pl_handler old = *handler;
    *handler = pl_on(hook, fn);
    pl_off(old);
}

static bool is_schema(const char *schema) {
    size_t len = strlen(schema);
    if (len < 1 || len > SCHEMA_MAX) pl_fail("invalid", "a schema must be 1 to 128 bytes");
    return len >= 1 && len <= SCHEMA_MAX;
}

static void suspend(pl_event *event) {
    event->answer = (pl_json){0};
    give(event);
    event->answer_is_spread = false;
    pl_json state = event->answer.text ? event->answer : pl_null;
    pl_out text = pl_kept(state);
    event->answer = pl_obj("schema", pl_str(given_schema), "state", ((pl_json){text.at, text.len}));
}

void pl_on_suspend(const char *schema, pl_fn *fn) {
    if (!is_schema(schema)) return;
    strcpy(given_schema, schema);
    give = fn;
    renew(&suspends, "$suspend", suspend);
}

static void resume(pl_event *event) {
    pl_json schema = pl_at(event->data, "schema"), state = pl_at(event->data, "state");
    bool is_ours = pl_kind_of(schema) == PL_TEXT && state.text && pl_count(event->data) == 2;
    event->schema = is_ours ? pl_text(schema) : "";
    if (is_ours) event->data = state;
    for (pl_taker *taker = takers; taker && is_ours; taker = taker->next) {
        if (strcmp(taker->schema, event->schema) != 0) continue;
        taker->fn(event);
        return;
    }
    if (take_any) {
        take_any(event);
        return;
    }
    pl_list words = {0};
    pl_json name = pl_str(event->schema);
    pl_list_raw(&words, "no pl_on_resume takes a state of the schema ", 44);
    pl_list_raw(&words, name.text, name.len);
    pl_list_raw(&words, "", 1);
    pl_fail("resume.schema", words.text);
}

void pl_on_resume(const char *schema, pl_fn *fn) {
    if (!is_schema(schema)) return;
    pl_taker *taker = takers;
    while (taker && strcmp(taker->schema, schema) != 0) taker = taker->next;
    if (!taker) {
        taker = malloc(sizeof *taker);
        if (!taker) __builtin_trap();
        strcpy(taker->schema, schema);
        taker->next = takers;
        takers = taker;
    }
    taker->fn = fn;
    renew(&resumes, "$resume", resume);
}

void pl_on_resume_any(pl_fn *fn) {
    take_any = fn;
    renew(&resumes, "$resume", resume);
}

#pragma clang attribute pop

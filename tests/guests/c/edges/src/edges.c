/* What the SDK does at the edges of what it takes. */

#include "parlor.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Overwrites what functions that returned left on the stack. */
static void trample(void) {
    volatile char over[4096];
    for (size_t at = 0; at < sizeof over; at++) over[at] = '#';
}

static void fail_with_locals(void (*fail)(const char *code, const char *message)) {
    char code[32], message[32];
    snprintf(code, sizeof code, "edge.%s", "local");
    snprintf(message, sizeof message, "words of %d letters", 5);
    fail(code, message);
}

static void rejects(pl_event *event) {
    fail_with_locals(pl_reject);
    trample();
}

static void fails(pl_event *event) {
    fail_with_locals(pl_fail);
    trample();
}

static void answer_with_locals(pl_event *event) {
    char text[32];
    snprintf(text, sizeof text, "[%d,2]", 1);
    pl_answer(event, pl_parse(text));
}

static void answers(pl_event *event) {
    answer_with_locals(event);
    trample();
}

static void refuse_with_locals(void) {
    char words[32];
    snprintf(words, sizeof words, "not before %d", 8);
    pl_refuse(403, words);
}

static bool authorize(const pl_request *request, pl_meta *meta) {
    meta->user_id = pl_query(request, "userId");
    if (!meta->user_id) refuse_with_locals();
    trample();
    return true;
}

static void texts(pl_event *event) {
    const char *motto = pl_config("motto");
    pl_emit(event, "texts", pl_obj("user", pl_str(pl_meta_of(event->socket).user_id), "motto", pl_str(motto ? motto : "none")));
}

static void values(pl_event *event) {
    pl_json holed = pl_array((pl_json[]){pl_num(1), {0}, pl_num(3)}, 3);
    pl_json twice = pl_parse("{\"a\":1,\"a\":1}"), other = pl_parse("{\"a\":1,\"b\":2}"), hides = pl_parse("{\"a\":1,\"a\":2}");
    pl_json same = pl_array((pl_json[]){pl_of_bool(pl_same(twice, other)), pl_of_bool(pl_same(other, twice)),
                                        pl_of_bool(pl_same(hides, hides)), pl_of_bool(pl_same(other, pl_parse("{\"b\":2,\"a\":1}")))}, 4);
    bool is_least = pl_int(pl_num(LLONG_MIN)) == LLONG_MIN && pl_int(pl_parse("-9223372036854775809")) == LLONG_MIN;
    bool is_most = pl_int(pl_num(LLONG_MAX)) == LLONG_MAX && pl_int(pl_parse("9223372036854775808")) == LLONG_MAX;
    pl_emit(event, "values", pl_obj("holed", holed, "same", same, "least", pl_of_bool(is_least), "most", pl_of_bool(is_most)));
}

static void huge(pl_event *event) {
    char *memory = pl_alloc((size_t)-8);
    pl_emit(event, "huge", pl_of_bool(memory != NULL));
}

/* The answer is several arguments, what is emitted behind it one. */
static void spreads(pl_event *event) {
    pl_json pair = pl_array((pl_json[]){pl_num(3), pl_num(4)}, 2);
    pl_spread();
    pl_answer(event, pair);
    pl_emit(event, "one", pair);
    pl_spread();
    pl_emit(event, "two", pair);
}

static void pieces(pl_event *event) {
    pl_list all = {0};
    for (uint8_t piece = 0; piece < 17; piece++) pl_list_add(&all, pl_of_bytes(&piece, 1));
    pl_emit(event, "pieces", pl_list_json(&all));
}

static void suspend(pl_event *event) {
    pl_answer(event, pl_str("kept"));
}

static void resume(pl_event *event) {
    pl_emit_all("resumed", event->data);
}

static void renew(pl_event *event) {
    pl_off_all("$suspend");
    pl_off_all("$resume");
    pl_on_suspend("edges/1", suspend);
    pl_on_resume("edges/1", resume);
}

PL_ROOM("c-edges", "/c-edges") {
    pl_authorize(authorize);
    pl_on("reject", rejects);
    pl_on("fail", fails);
    pl_on("answer", answers);
    pl_on("texts", texts);
    pl_on("values", values);
    pl_on("huge", huge);
    pl_on("spread", spreads);
    pl_on("pieces", pieces);
    pl_on("renew", renew);
    pl_on_suspend("edges/1", suspend);
    pl_on_resume("edges/1", resume);
}

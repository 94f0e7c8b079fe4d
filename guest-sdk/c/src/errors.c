/* The failure of a turn: the first one counts. */

#include "host.h"

#include <string.h>

struct pl_problem pl_problem;

static void fail(const char *code, const char *message, bool for_sender) {
    /* Copies: what the author passed may lie in a function that has returned when the host reads this. */
    if (!pl_problem.failed) pl_problem = (struct pl_problem){pl_copied(code), pl_copied(message), true, for_sender};
}

void pl_fail(const char *code, const char *message) {
    fail(code, message, false);
}

void pl_reject(const char *code, const char *message) {
    fail(code, message, true);
}

const char *pl_failed(void) {
    return pl_problem.failed ? pl_problem.code : NULL;
}

void pl_forgive(void) {
    pl_problem.failed = false;
}

static const char *joined(const char *before, struct pl_span words, const char *after) {
    pl_list text = {0};
    const char *const parts[] = {before, pl_in(words.at, words.len), after};
    for (size_t at = 0; at < 3; at++) pl_list_raw(&text, parts[at], strlen(parts[at]));
    pl_list_raw(&text, "", 1);
    return text.text;
}

bool pl_took(const pl_result *result) {
    if (!result->is_refused) return true;
    struct pl_span words = result->ok.refusal.words;
    switch (result->ok.refusal.why) {
    case PL_LIMIT_EXCEEDED: pl_fail("limit-exceeded", joined("the bound ", words, " would be passed")); break;
    case PL_NO_SUCH_SOCKET: pl_fail("no-such-socket", "no such socket in this room; it may have left"); break;
    case PL_NO_TURN: pl_fail("no-turn", "outside a turn the room cannot be reached"); break;
    case PL_INVALID: pl_fail("invalid", joined("", words, "")); break;
    default: pl_fail("refused", joined("", words, "")); break;
    }
    return false;
}

void pl_answer(pl_event *event, pl_json answer) {
    bool is_spread = pl_spreading.waits;
    pl_spreading.waits = false;
    if (event->answer.text) return;
    /* A copy, since it is read when the author's function has returned. */
    event->answer = answer.text ? (pl_json){pl_copy(answer.text, answer.len), answer.len} : pl_null;
    event->answer_is_spread = is_spread;
}

#pragma clang attribute pop

/* The engine's jobs: what promises and microtasks left to be done, and rejections that nobody handled. */

#include "engine.h"

#include <stdlib.h>

/* Rejected promises that nobody has asked for yet, each with its reason. */
typedef struct rejected {
    JSValue promise, reason;
} rejected;

static rejected *unhandled;
static size_t unhandled_count, unhandled_room;

static void forget(JSValueConst promise) {
    for (size_t at = 0; at < unhandled_count; at++) {
        if (!JS_IsStrictEqual(js, unhandled[at].promise, promise)) continue;
        JS_FreeValue(js, unhandled[at].promise);
        JS_FreeValue(js, unhandled[at].reason);
        for (unhandled_count--; at < unhandled_count; at++) unhandled[at] = unhandled[at + 1];
    }
}

static void track(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool is_handled, void *opaque) {
    (void)opaque;
    if (is_handled) {
        forget(promise);
        return;
    }
    if (unhandled_count == unhandled_room) {
        unhandled_room = unhandled_room ? unhandled_room * 2 : 8;
        unhandled = needed(realloc(unhandled, unhandled_room * sizeof *unhandled));
    }
    unhandled[unhandled_count++] = (rejected){JS_DupValue(ctx, promise), JS_DupValue(ctx, reason)};
}

void begin_jobs(JSRuntime *runtime) {
    JS_SetHostPromiseRejectionTracker(runtime, track, NULL);
}

/* Runs jobs until none is left; throws what the first microtask threw that threw anything. */
JSValue run_jobs(void) {
    JSRuntime *runtime = JS_GetRuntime(js);
    JSContext *of;
    JSValue first = JS_UNINITIALIZED;
    for (int done; (done = JS_ExecutePendingJob(runtime, &of)) != 0;) {
        if (done > 0) continue;
        JSValue thrown = JS_GetException(js);
        if (JS_IsUninitialized(first)) first = thrown;
        else JS_FreeValue(js, thrown);
    }
    return JS_IsUninitialized(first) ? JS_UNDEFINED : JS_Throw(js, first);
}

static JSValue drain(JSContext *, JSValueConst, int, JSValueConst *) {
    return run_jobs();
}

/* The value of a promise that has settled; a rejection is thrown. */
JSValue result_of(JSValueConst promise) {
    JSValue value = JS_PromiseResult(js, promise);
    if (JS_PromiseState(js, promise) != JS_PROMISE_REJECTED) return value;
    forget(promise);
    return JS_Throw(js, value);
}

/* What a promise came to, for whoever waits for it: undefined where it waits still, else an array of its value; a rejection is
 * thrown. */
static JSValue outcome(JSContext *, JSValueConst, int, JSValueConst *argv) {
    JSPromiseStateEnum state = JS_PromiseState(js, argv[0]);
    if (state != JS_PROMISE_FULFILLED && state != JS_PROMISE_REJECTED) return JS_UNDEFINED;
    JSValue value = result_of(argv[0]);
    return JS_IsException(value) ? value : JS_NewArrayFrom(js, 1, &value);
}

/* Whether no job waits, and no rejection is unhandled. */
bool are_jobs_done(void) {
    return unhandled_count == 0 && !JS_IsJobPending(JS_GetRuntime(js));
}

static JSValue is_idle(JSContext *, JSValueConst, int, JSValueConst *) {
    return JS_NewBool(js, are_jobs_done());
}

/* Why promises were rejected that nobody handled; they are forgotten. */
static JSValue take_unhandled(JSContext *, JSValueConst, int, JSValueConst *) {
    JSValue reasons = JS_NewArray(js);
    for (uint32_t at = 0; at < unhandled_count; at++) {
        JS_SetPropertyUint32(js, reasons, at, unhandled[at].reason);
        JS_FreeValue(js, unhandled[at].promise);
    }
    unhandled_count = 0;
    return reasons;
}

const JSCFunctionListEntry job_functions[] = {
    JS_CFUNC_DEF("drain", 0, drain),
    JS_CFUNC_DEF("isIdle", 0, is_idle),
    JS_CFUNC_DEF("outcome", 1, outcome),
    JS_CFUNC_DEF("takeUnhandled", 0, take_unhandled),
};
const int job_function_count = sizeof job_functions / sizeof *job_functions;

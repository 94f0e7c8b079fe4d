/* A turn: the host's call of the contract's `handle`, up to what the SDK has to end where more than handlers ran. */

#include "context.h"

#include <string.h>

/* Whether something began in this turn that the SDK ends: it says so. */
static bool needs_end;

static JSClassID answer_class;
static JSValue answer_prototype;

/* The function that answers the event of this turn; none was asked for yet, or nobody waits. */
static JSValue ack = JS_UNINITIALIZED;
static JSValue unheard;

static double turn_time;
static bool has_turn;

/* An answer of the quick end, which the host reads when the turn is over. */
static growing answer_body;

/* The handlers of an event are here; the SDK's own names for them are in `src/registry.ts`. */
#define ANY ((struct pl_span){"*", 1})

static bool is(struct pl_span text, const char *other) {
    return strlen(other) == text.len && memcmp(text.at, other, text.len) == 0;
}

/* Answers an event with these values. The first answer is the answer. */
static bool give(context *its, JSValue values) {
    if (its->is_over) {
        JS_FreeValue(js, values);
        JS_FreeValue(js, call_hook(HOOK_TOO_LATE, 0, NULL));
        return false;
    }
    if (JS_IsUninitialized(its->parts[PART_ANSWER])) its->parts[PART_ANSWER] = values;
    else JS_FreeValue(js, values);
    return true;
}

static JSValue list_of(int count, JSValueConst *values) {
    JSValue list = JS_NewArray(js);
    for (int at = 0; at < count; at++) JS_SetPropertyUint32(js, list, (uint32_t)at, JS_DupValue(js, values[at]));
    return list;
}

static JSValue answer_with(JSContext *, JSValueConst, int count, JSValueConst *values, int, JSValueConst *data) {
    context *its = context_of(data[0]);
    return its && give(its, list_of(count, values)) ? JS_UNDEFINED : JS_EXCEPTION;
}

static JSValue say_nothing(JSContext *, JSValueConst, int, JSValueConst *) {
    return JS_UNDEFINED;
}

static JSValueConst ack_of(context *its, JSValueConst ctx) {
    if (!its->event.answer_wanted) return unheard;
    if (JS_IsUninitialized(ack)) ack = JS_NewCFunctionData(js, answer_with, 0, 0, 1, &ctx);
    return ack;
}

/* What handlers return that answers an event. */
static JSValue answer(JSContext *, JSValueConst, int count, JSValueConst *values) {
    JSValue made = JS_NewObjectProtoClass(js, answer_prototype, answer_class);
    if (!JS_IsException(made)) JS_DefinePropertyValueStr(js, made, "values", list_of(count, values), JS_PROP_ENUMERABLE);
    return made;
}

/* The value that a promise of a handler's comes to, for which jobs and timeouts are run; takes the promise. */
static JSValue settled(context *its, JSValue promise) {
    for (;;) {
        JSValue done = JS_UNDEFINED;
        if (JS_PromiseState(js, promise) == JS_PROMISE_PENDING) done = run_jobs();
        if (!JS_IsException(done) && JS_PromiseState(js, promise) != JS_PROMISE_PENDING) done = result_of(promise);
        else if (!JS_IsException(done)) {
            done = call_hook(HOOK_RUN_TIMEOUT, 0, NULL);
            if (JS_ToBool(js, done) == 1) continue;
            if (!JS_IsException(done)) {
                JSValue name = event_name(its);
                done = call_hook(HOOK_NEVER_SETTLED, 1, &name);
                JS_FreeValue(js, name);
            }
        }
        JS_FreeValue(js, promise);
        return done;
    }
}

/* Takes what a handler returned: waits for it where it is a promise, and answers with it where it is an answer. */
static bool take(context *its, JSValue result) {
    if (JS_IsObject(result) && JS_PromiseState(js, result) != JS_PROMISE_NOT_A_PROMISE) {
        result = settled(its, result);
    } else if (JS_IsObject(result) && JS_GetClassID(result) != answer_class) {
        JSValue arguments[2] = {result, event_name(its)};
        JSValue found = call_hook(HOOK_SETTLED, 2, arguments);
        JS_FreeValue(js, arguments[1]);
        JS_FreeValue(js, result);
        result = found;
    }
    if (JS_IsException(result)) return false;
    bool is_fine = true;
    if (JS_IsObject(result) && JS_GetClassID(result) == answer_class) is_fine = give(its, JS_GetPropertyStr(js, result, "values"));
    JS_FreeValue(js, result);
    return is_fine;
}

/* Runs handlers in their order, each awaited. The first error ends it. */
static bool run(context *its, JSValueConst ctx, JSValueConst handlers) {
    int64_t count = 0;
    if (JS_IsUndefined(handlers)) return true;
    bool is_fine = JS_GetLength(js, handlers, &count) == 0;
    /* An event that runs keeps the list that it began with. */
    JSValue list = JS_DupValue(js, handlers);
    for (int64_t at = 0; at < count && is_fine; at++) {
        JSValue data = event_data(its), handler = JS_GetPropertyInt64(js, list, at);
        if (JS_IsException(data)) {
            is_fine = false;
        } else {
            JSValueConst arguments[3] = {ctx, data, ack_of(its, ctx)};
            is_fine = take(its, JS_Call(js, handler, JS_UNDEFINED, 3, arguments));
        }
        JS_FreeValue(js, handler);
        JS_FreeValue(js, data);
    }
    JS_FreeValue(js, list);
    return is_fine;
}

/* A bare ping: the client's keepalive, which the host answered already. */
static bool is_keepalive(const event *event) {
    return is(event->name, "ping") && !event->has_payload && !event->has_channel;
}

/* Hooks that the host itself is the cause of, so that there may be no socket. */
static bool needs_socket(struct pl_span cause) {
    static const char *const without[] = {"$restore", "$error", "$timer", "$alarm", "$suspend", "$resume", "$check"};
    for (size_t at = 0; at < sizeof without / sizeof *without; at++) {
        if (is(cause, without[at])) return false;
    }
    return true;
}

static bool call_with_name(hook which, context *its, JSValueConst second) {
    JSValue arguments[2] = {event_name(its), JS_DupValue(js, second)};
    JSValue done = call_hook(which, 2, arguments);
    JS_FreeValue(js, arguments[0]);
    JS_FreeValue(js, arguments[1]);
    JS_FreeValue(js, done);
    return !JS_IsException(done);
}

/* Runs the handlers that an event is for: its own, then those for all events. */
static bool dispatch(context *its, JSValueConst ctx) {
    const event *event = &its->event;
    if (!event->has_socket && needs_socket(event->cause)) return call_with_name(HOOK_NO_SOCKET, its, JS_UNDEFINED);
    bool is_hook = event->cause.len > 0 && *(const char *)event->cause.at == '$';
    bool is_timer = is_hook && is(event->cause, "$timer");
    JSValueConst own, behind;
    if (is_timer || (is_hook && is(event->cause, "$ack"))) {
        own = handlers_of(is_timer ? TABLE_TIMERS : TABLE_ACKS, event->name);
        behind = handlers_of(TABLE_EVENTS, event->cause);
        /* Not a failure: what set or asked it may have been another version, and nothing else is lost. */
        if (JS_IsUndefined(own) && JS_IsUndefined(behind)) return call_with_name(HOOK_NO_HANDLER, its, JS_NewBool(js, is_timer));
    } else {
        own = handlers_of(TABLE_EVENTS, event->cause);
        behind = handlers_of(TABLE_EVENTS, ANY);
        /* Those are for events of clients. Hooks and the bare keepalive are none, and of a client's event `*` they are its own. */
        if (is_hook || is(event->cause, ANY.at) || is_keepalive(event)) behind = JS_UNDEFINED;
    }
    /* The first may take the second away. */
    JSValue second = JS_DupValue(js, behind);
    bool is_fine = run(its, ctx, own) && run(its, ctx, second);
    JS_FreeValue(js, second);
    return is_fine;
}

/* Whether the quick end does: nothing failed, and nothing is left of the turn but an answer that JSON has a quick form of. */
static bool ends_quickly(context *its, handled *to) {
    JSValueConst answer = its->parts[PART_ANSWER];
    if (needs_end || !are_jobs_done()) return false;
    if (JS_IsUninitialized(answer)) return true;
    int64_t count = 0;
    if (JS_GetLength(js, answer, &count) < 0 || count > 1) return false;
    if (count == 0) return true;
    JSValue value = JS_GetPropertyUint32(js, answer, 0);
    bool is_written = !JS_IsUndefined(value) && inside_write(js, &answer_body, value, HALVES_REPLACED);
    JS_FreeValue(js, value);
    if (is_written) set_body(to, &(pl_payload){false, answer_body.at, answer_body.len});
    return is_written;
}

static void end_turn(context *its, JSValueConst ctx, bool is_fine, handled *to) {
    if (is_fine && ends_quickly(its, to)) return;
    JSValueConst arguments[3] = {ctx, JS_NewBool(js, !is_fine), is_fine ? JS_UNDEFINED : JS_GetException(js)};
    JSValue found = call_hook(HOOK_END_TURN, 3, arguments);
    JS_FreeValue(js, (JSValue)arguments[2]);
    if (JS_IsException(found)) set_failure(to);
    else if (!JS_IsNull(found)) set_answer(to, found);
    JS_FreeValue(js, found);
}

void handle_event(const event *event, double accepted_at, handled *to) {
    turn_time = accepted_at;
    has_turn = true;
    inside_done(&answer_body);
    /* The SDK forgets a socket that has left. */
    needs_end = is(event->cause, "$disconnect") || is(event->cause, "$user-leave") || is(event->cause, "$suspend");
    JSValue ctx = begin_context(event);
    if (JS_IsException(ctx)) {
        set_failure(to);
    } else {
        context *its = context_of(ctx);
        end_turn(its, ctx, dispatch(its, ctx), to);
        if (!JS_IsUninitialized(ack)) {
            JS_FreeValue(js, ack);
            ack = JS_UNINITIALIZED;
        }
        end_with_context(ctx);
    }
    has_turn = false;
}

static JSValue need_end(JSContext *, JSValueConst, int, JSValueConst *) {
    needs_end = true;
    return JS_UNDEFINED;
}

/* Milliseconds since the Unix epoch: in a turn the moment when the room accepted the event, so that nobody has to ask the host. */
static JSValue now(JSContext *, JSValueConst, int, JSValueConst *) {
    if (!has_turn && !has_host()) {
        JSValue what = JS_NewString(js, "the current time"), needed = call_hook(HOOK_NEED_HOST, 1, &what);
        JS_FreeValue(js, what);
        if (JS_IsException(needed)) return needed;
        JS_FreeValue(js, needed);
    }
    return JS_NewInt64(js, (int64_t)(has_turn ? turn_time : host_now()));
}

void begin_turns(JSRuntime *runtime) {
    static const JSClassDef definition = {.class_name = "Answer"};
    JS_NewClassID(runtime, &answer_class);
    JS_NewClass(runtime, answer_class, &definition);
    answer_prototype = JS_NewObject(js);
    unheard = JS_NewCFunction(js, say_nothing, "", 0);
}

const JSCFunctionListEntry turn_functions[] = {
    JS_CFUNC_DEF("answer", 0, answer),
    JS_CFUNC_DEF("needEnd", 0, need_end),
    JS_CFUNC_DEF("now", 0, now),
};
const int turn_function_count = sizeof turn_functions / sizeof *turn_functions;

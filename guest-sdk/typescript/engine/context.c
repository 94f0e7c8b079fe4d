/*
 * What handlers are given: one object a turn, whose parts are made when they are asked for. It is the object of the turn before where
 * nobody kept that. `src/ctx.ts` adds what is rare.
 */

#include "context.h"


static JSClassID class_id;
static JSValue prototype;

/* The one that no turn has. */
static JSValue spare = JS_UNDEFINED;

context *context_of(JSValueConst value) {
    return JS_GetOpaque2(js, value, class_id);
}

static void end_context(JSRuntime *runtime, JSValueConst value) {
    context *its = JS_GetOpaque(value, class_id);
    if (!its) return;
    for (int which = 0; which < PART_COUNT; which++) JS_FreeValueRT(runtime, its->parts[which]);
    js_free_rt(runtime, its);
}

static void mark_context(JSRuntime *runtime, JSValueConst value, JS_MarkFunc *mark) {
    context *its = JS_GetOpaque(value, class_id);
    if (!its) return;
    for (int which = 0; which < PART_COUNT; which++) JS_MarkValue(runtime, its->parts[which], mark);
}

JSValue begin_context(const event *event) {
    JSValue value = spare;
    context *its;
    spare = JS_UNDEFINED;
    if (JS_IsUndefined(value)) {
        value = JS_NewObjectProtoClass(js, prototype, class_id);
        if (JS_IsException(value)) return value;
        its = needed(js_malloc(js, sizeof *its));
        for (int which = 0; which < PART_COUNT; which++) its->parts[which] = JS_UNINITIALIZED;
        JS_SetOpaque(value, its);
    } else {
        its = JS_GetOpaque(value, class_id);
        /* The emits of the turn before are those of another socket. */
        if (!JS_IsUninitialized(its->parts[PART_EMIT])) retarget(its->parts[PART_EMIT], event->has_socket, event->socket);
    }
    its->event = *event;
    its->is_over = false;
    return value;
}

static JSValue text_part(context *its, part which, bool is_there, struct pl_span span) {
    if (JS_IsUninitialized(its->parts[which])) its->parts[which] = is_there ? string_of(span) : JS_NULL;
    return JS_DupValue(js, its->parts[which]);
}

JSValue event_name(context *its) {
    return text_part(its, PART_NAME, true, its->event.name);
}

static JSValue made_data(context *its) {
    const event *event = &its->event;
    struct pl_span span = event->data;
    if (!event->has_payload) return JS_NewObject(js);
    if (event->is_binary) return bytes_of(span);
    bool names_bytes;
    JSValue data = inside_parse(js, span.at, span.len, &names_bytes);
    /* Only the host knows whether there are bytes, or what looks like a placeholder. Most data is neither, and the call is saved. */
    if (JS_IsException(data) || !names_bytes) return data;
    JSValue filled = call_hook(HOOK_FILLED, 1, &data);
    JS_FreeValue(js, data);
    return filled;
}

/* The event's data, which all of its handlers share. */
JSValue event_data(context *its) {
    if (JS_IsUninitialized(its->parts[PART_DATA])) {
        JSValue data = made_data(its);
        if (JS_IsException(data)) return data;
        its->parts[PART_DATA] = data;
    }
    return JS_DupValue(js, its->parts[PART_DATA]);
}

/* Ends a turn with this: where somebody kept it, it keeps what the host's memory has. */
void end_with_context(JSValue value) {
    context *its = JS_GetOpaque(value, class_id);
    its->is_over = true;
    if (!inside_is_unshared(value, prototype)) {
        JS_FreeValue(js, text_part(its, PART_CAUSE, true, its->event.cause));
        JS_FreeValue(js, event_name(its));
        JS_FreeValue(js, text_part(its, PART_CHANNEL, its->event.has_channel, its->event.channel));
        JSValue data = event_data(its);
        if (JS_IsException(data)) {
            /* What cannot be made now cannot be made later either, from memory that is the host's again. */
            JS_FreeValue(js, JS_GetException(js));
            its->parts[PART_DATA] = JS_NULL;
        }
        JS_FreeValue(js, data);
        JS_FreeValue(js, value);
        return;
    }
    for (int which = 0; which < PART_COUNT; which++) {
        if (which == PART_EMIT && !JS_IsUninitialized(its->parts[which]) && is_spare_target(its->parts[which])) continue;
        JS_FreeValue(js, its->parts[which]);
        its->parts[which] = JS_UNINITIALIZED;
    }
    spare = value;
}

static JSValue get_emit(JSContext *, JSValueConst this) {
    context *its = context_of(this);
    if (!its) return JS_EXCEPTION;
    if (JS_IsUninitialized(its->parts[PART_EMIT])) {
        its->parts[PART_EMIT] = socket_target(its->event.has_socket, its->event.socket);
    }
    return JS_DupValue(js, its->parts[PART_EMIT]);
}

static JSValue get_wants_answer(JSContext *, JSValueConst this) {
    context *its = context_of(this);
    return its ? JS_NewBool(js, its->event.answer_wanted) : JS_EXCEPTION;
}

static JSValue cause_of(JSContext *, JSValueConst, int, JSValueConst *argv) {
    context *its = context_of(argv[0]);
    return its ? text_part(its, PART_CAUSE, true, its->event.cause) : JS_EXCEPTION;
}

static JSValue name_of(JSContext *, JSValueConst, int, JSValueConst *argv) {
    context *its = context_of(argv[0]);
    return its ? event_name(its) : JS_EXCEPTION;
}

static JSValue channel_of(JSContext *, JSValueConst, int, JSValueConst *argv) {
    context *its = context_of(argv[0]);
    return its ? text_part(its, PART_CHANNEL, its->event.has_channel, its->event.channel) : JS_EXCEPTION;
}

static JSValue socket_of(JSContext *, JSValueConst, int, JSValueConst *argv) {
    context *its = context_of(argv[0]);
    if (!its) return JS_EXCEPTION;
    return its->event.has_socket ? JS_NewUint32(js, its->event.socket) : JS_NULL;
}

static JSValue has_data(JSContext *, JSValueConst, int, JSValueConst *argv) {
    context *its = context_of(argv[0]);
    return its ? JS_NewBool(js, its->event.has_payload) : JS_EXCEPTION;
}

static JSValue data_of(JSContext *, JSValueConst, int, JSValueConst *argv) {
    context *its = context_of(argv[0]);
    return its ? event_data(its) : JS_EXCEPTION;
}

static JSValue take_answer(JSContext *, JSValueConst, int, JSValueConst *argv) {
    context *its = context_of(argv[0]);
    if (!its) return JS_EXCEPTION;
    JSValue answer = its->parts[PART_ANSWER];
    its->parts[PART_ANSWER] = JS_UNINITIALIZED;
    its->is_over = true;
    return JS_IsUninitialized(answer) ? JS_UNDEFINED : answer;
}

static JSValue context_prototype(JSContext *, JSValueConst, int, JSValueConst *) {
    return JS_DupValue(js, prototype);
}

static const JSCFunctionListEntry members[] = {
    JS_CGETSET_DEF("emit", get_emit, NULL),
    JS_CGETSET_DEF("wantsAnswer", get_wants_answer, NULL),
};

void begin_contexts(JSRuntime *runtime) {
    static const JSClassDef definition = {.class_name = "Context", .finalizer = end_context, .gc_mark = mark_context};
    JS_NewClassID(runtime, &class_id);
    JS_NewClass(runtime, class_id, &definition);
    prototype = JS_NewObject(js);
    add_members(prototype, members, sizeof members / sizeof *members);
}

const JSCFunctionListEntry context_functions[] = {
    JS_CFUNC_DEF("contextPrototype", 0, context_prototype),
    JS_CFUNC_DEF("eventCause", 1, cause_of),
    JS_CFUNC_DEF("eventChannel", 1, channel_of),
    JS_CFUNC_DEF("eventData", 1, data_of),
    JS_CFUNC_DEF("eventHasData", 1, has_data),
    JS_CFUNC_DEF("eventName", 1, name_of),
    JS_CFUNC_DEF("eventSocket", 1, socket_of),
    JS_CFUNC_DEF("takeAnswer", 1, take_answer),
};
const int context_function_count = sizeof context_functions / sizeof *context_functions;

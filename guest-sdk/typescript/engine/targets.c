/* Whom an emit is for: `ctx.emit`, `ctx.actor.emit`, and what their `to` answers. `src/emit.ts` adds those that take more than a name. */

#include "engine.h"


typedef enum kind { TO_SOCKET, TO_NOBODY, TO_NAMED, TO_CHANNEL, TO_USER } kind;

typedef struct target {
    kind kind;
    uint32_t socket;
    /* A text, of the others. */
    JSValue who;
} target;

typedef enum form { FORM_SOCKET, FORM_ROOM, FORM_CHANNEL, FORM_TARGET, FORM_COUNT } form;

static JSClassID class_id;
static JSValue prototypes[FORM_COUNT];
/* Whether handlers wrote channels that the host was not told of: emits go by them. */
static bool has_unsaid;

static void end_target(JSRuntime *runtime, JSValueConst value) {
    target *its = JS_GetOpaque(value, class_id);
    if (!its) return;
    JS_FreeValueRT(runtime, its->who);
    js_free_rt(runtime, its);
}

static JSValue made(form form, kind kind, uint32_t socket, JSValue who) {
    JSValue value = JS_NewObjectProtoClass(js, prototypes[form], class_id);
    if (JS_IsException(value)) {
        JS_FreeValue(js, who);
        return value;
    }
    target *its = needed(js_malloc(js, sizeof *its));
    *its = (target){kind, socket, who};
    JS_SetOpaque(value, its);
    return value;
}

JSValue socket_target(bool has_socket, uint32_t socket) {
    return made(FORM_SOCKET, has_socket ? TO_SOCKET : TO_NOBODY, socket, JS_UNDEFINED);
}

void retarget(JSValueConst value, bool has_socket, uint32_t socket) {
    target *its = JS_GetOpaque(value, class_id);
    its->kind = has_socket ? TO_SOCKET : TO_NOBODY;
    its->socket = socket;
}

bool is_spare_target(JSValueConst value) {
    return inside_is_unshared(value, prototypes[FORM_SOCKET]);
}

static JSValue send(const target *to, text event, const pl_payload *data) {
    pl_result result;
    text who = to->kind == TO_SOCKET ? (text){"", 0} : text_of(to->who);
    if (!who.at) return JS_EXCEPTION;
    switch (to->kind) {
    case TO_SOCKET:
        host_to_socket(to->socket, OF(event), SENT(*data), &result);
        break;
    case TO_NAMED:
        host_to_named(OF(who), OF(event), SENT(*data), &result);
        break;
    case TO_CHANNEL:
        host_to_channel(OF(who), OF(event), SENT(*data), &result);
        break;
    default:
        host_to_user(OF(who), OF(event), SENT(*data), &result);
    }
    if (to->kind != TO_SOCKET) free_text(who);
    return or_refusal(answered(&result, as_number));
}

/* Sends what JSON has no quick form of, as the SDK makes it: with attachments, or with several values. */
static JSValue send_message(const target *to, text event, int count, JSValueConst *values) {
    pl_payload payload;
    text held;
    JSValue list = JS_NewArrayFrom(js, 0, NULL);
    for (int at = 0; at < count; at++) JS_SetPropertyUint32(js, list, (uint32_t)at, JS_DupValue(js, values[at]));
    JSValue message = call_hook(HOOK_MESSAGE, 1, &list), answer = JS_EXCEPTION;
    JS_FreeValue(js, list);
    if (JS_IsException(message)) return message;
    if (payload_of(message, &payload, &held)) {
        answer = send(to, event, &payload);
        free_text(held);
    }
    JS_FreeValue(js, message);
    return answer;
}

static JSValue need_text(JSValueConst value, const char *what) {
    JSValue arguments[2] = {JS_DupValue(js, value), JS_NewString(js, what)};
    JSValue answer = call_hook(HOOK_NEED_TEXT, 2, arguments);
    JS_FreeValue(js, arguments[0]);
    JS_FreeValue(js, arguments[1]);
    return answer;
}

static JSValue emit(JSContext *, JSValueConst this, int count, JSValueConst *arguments) {
    static growing body;
    target *its = JS_GetOpaque2(js, this, class_id);
    if (!its) return JS_EXCEPTION;
    /* Without a socket, which only `onError` can be, it reaches nobody by itself. */
    if (its->kind == TO_NOBODY) return JS_NewInt32(js, 0);
    if (!JS_IsString(arguments[0])) return need_text(arguments[0], "an event's name");
    if (has_unsaid) {
        JSValue said = call_hook(HOOK_SAY_CHANNELS, 0, NULL);
        if (JS_IsException(said)) return said;
        JS_FreeValue(js, said);
    }
    text event = text_of(arguments[0]);
    if (!event.at) return JS_EXCEPTION;
    JSValue answer;
    pl_payload nothing = {false, "{}", 2};
    if (count < 2 || (count == 2 && JS_IsUndefined(arguments[1]))) {
        answer = send(its, event, &nothing);
    } else if (count == 2 && inside_write(js, &body, arguments[1], HALVES_REPLACED)) {
        answer = send(its, event, &(pl_payload){false, body.at, body.len});
    } else {
        /* What it runs may let go of this. */
        JSValue own = JS_DupValue(js, this);
        answer = send_message(its, event, count - 1, arguments + 1);
        JS_FreeValue(js, own);
    }
    free_text(event);
    inside_done(&body);
    return answer;
}

/* What the `to` of `ctx.emit`, that of the room's and its `toUser` are for. */
enum { NAMED, CHANNEL, USER };

static JSValue to(JSContext *, JSValueConst, int, JSValueConst *arguments, int magic) {
    static const struct {
        form form;
        kind kind;
        const char *what;
    } kinds[] = {
        [NAMED] = {FORM_TARGET, TO_NAMED, "whom an emit is for"},
        [CHANNEL] = {FORM_CHANNEL, TO_CHANNEL, "a channel"},
        [USER] = {FORM_TARGET, TO_USER, "a user id"},
    };
    if (!JS_IsString(arguments[0])) return need_text(arguments[0], kinds[magic].what);
    return made(kinds[magic].form, kinds[magic].kind, 0, JS_DupValue(js, arguments[0]));
}

/* The channel of emits that name none. */
static JSValue room_target(JSContext *, JSValueConst, int, JSValueConst *argv) {
    return made(FORM_ROOM, TO_CHANNEL, 0, JS_DupValue(js, argv[0]));
}

static JSValue target_of_socket(JSContext *, JSValueConst, int, JSValueConst *argv) {
    uint32_t socket;
    if (JS_ToUint32(js, &socket, argv[0]) < 0) return JS_EXCEPTION;
    return socket_target(true, socket);
}

static JSValue channel_prototype(JSContext *, JSValueConst, int, JSValueConst *) {
    return JS_DupValue(js, prototypes[FORM_CHANNEL]);
}

static JSValue channel_name(JSContext *, JSValueConst, int, JSValueConst *argv) {
    target *its = JS_GetOpaque2(js, argv[0], class_id);
    return its ? JS_DupValue(js, its->who) : JS_EXCEPTION;
}

static JSValue note_unsaid(JSContext *, JSValueConst, int, JSValueConst *argv) {
    has_unsaid = JS_ToBool(js, argv[0]);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry emits = JS_CFUNC_DEF("emit", 2, emit);
static const JSCFunctionListEntry of_socket = JS_CFUNC_MAGIC_DEF("to", 1, to, NAMED);
static const JSCFunctionListEntry of_room[] = {
    JS_CFUNC_MAGIC_DEF("to", 1, to, CHANNEL),
    JS_CFUNC_MAGIC_DEF("toUser", 1, to, USER),
};

void begin_targets(JSRuntime *runtime) {
    static const JSClassDef definition = {.class_name = "Emit", .finalizer = end_target};
    JS_NewClassID(runtime, &class_id);
    JS_NewClass(runtime, class_id, &definition);
    for (int which = 0; which < FORM_COUNT; which++) {
        prototypes[which] = JS_NewObject(js);
        add_members(prototypes[which], &emits, 1);
    }
    add_members(prototypes[FORM_SOCKET], &of_socket, 1);
    add_members(prototypes[FORM_ROOM], of_room, 2);
}

const JSCFunctionListEntry target_functions[] = {
    JS_CFUNC_DEF("channelName", 1, channel_name),
    JS_CFUNC_DEF("channelPrototype", 0, channel_prototype),
    JS_CFUNC_DEF("noteUnsaid", 1, note_unsaid),
    JS_CFUNC_DEF("roomTarget", 1, room_target),
    JS_CFUNC_DEF("socketTarget", 1, target_of_socket),
};
const int target_function_count = sizeof target_functions / sizeof *target_functions;

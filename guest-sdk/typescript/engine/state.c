/* The rest of the contract: the room, its sockets, timers and alarm, and what answers outside of turns as well. */

#include "engine.h"

#include <string.h>

/* What takes one text. */
static JSValue tell(void (*how)(TEXT(what), pl_result *), JSValueConst value, JSValue (*convert)(const pl_result *)) {
    pl_result result;
    text what = text_of(value);
    if (!what.at) return JS_EXCEPTION;
    how(OF(what), &result);
    free_text(what);
    return answered(&result, convert);
}

static JSValue on(JSContext *, JSValueConst, int, JSValueConst *argv) {
    return tell(host_on, argv[0], as_nothing);
}

static JSValue off(JSContext *, JSValueConst, int, JSValueConst *argv) {
    return tell(host_off, argv[0], as_nothing);
}

static JSValue timer_cancel(JSContext *, JSValueConst, int, JSValueConst *argv) {
    return tell(host_timer_cancel, argv[0], as_flag);
}

/* What takes a socket and one text. */
static JSValue change(void (*how)(uint32_t socket, TEXT(what), pl_result *), JSValueConst *argv) {
    pl_result result;
    uint32_t socket;
    if (JS_ToUint32(js, &socket, argv[0]) < 0) return JS_EXCEPTION;
    text what = text_of(argv[1]);
    if (!what.at) return JS_EXCEPTION;
    how(socket, OF(what), &result);
    free_text(what);
    return answered(&result, as_nothing);
}

static JSValue join(JSContext *, JSValueConst, int, JSValueConst *argv) {
    return change(host_join, argv);
}

static JSValue leave(JSContext *, JSValueConst, int, JSValueConst *argv) {
    return change(host_leave, argv);
}

static JSValue set_fields(JSContext *, JSValueConst, int, JSValueConst *argv) {
    return change(host_set_fields, argv);
}

static JSValue close_socket(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    uint32_t socket, code;
    if (JS_ToUint32(js, &socket, argv[0]) < 0 || JS_ToUint32(js, &code, argv[1]) < 0) return JS_EXCEPTION;
    text reason = text_of(argv[2]);
    if (!reason.at) return JS_EXCEPTION;
    host_close(socket, code, OF(reason), &result);
    free_text(reason);
    return answered(&result, as_nothing);
}

static JSValue as_meta(const pl_result *result) {
    JSValue meta = JS_NewObject(js);
    pl_result channels = {.ok.span = result->ok.meta.channels};
    JS_SetPropertyStr(js, meta, "userId", string_of(result->ok.meta.user));
    JS_SetPropertyStr(js, meta, "clientId", string_of(result->ok.meta.client));
    JS_SetPropertyStr(js, meta, "channels", as_strings(&channels));
    JS_SetPropertyStr(js, meta, "fields", string_of(result->ok.meta.fields));
    return meta;
}

static JSValue get_meta(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    uint32_t socket;
    if (JS_ToUint32(js, &socket, argv[0]) < 0) return JS_EXCEPTION;
    host_get_meta(socket, &result);
    return answered(&result, as_meta);
}

static JSValue present(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    bool has_user = !JS_IsNull(argv[0]);
    text user = has_user ? text_of(argv[0]) : (text){"", 0};
    if (!user.at) return JS_EXCEPTION;
    host_present(has_user, OF(user), &result);
    if (has_user) free_text(user);
    return answered(&result, as_numbers);
}

static JSValue timer_set(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    pl_payload payload = {0};
    text held = {0};
    uint32_t delay;
    if (JS_ToUint32(js, &delay, argv[1]) < 0) return JS_EXCEPTION;
    bool has_data = !JS_IsNull(argv[2]);
    if (has_data && !payload_of(argv[2], &payload, &held)) return JS_EXCEPTION;
    text name = text_of(argv[0]);
    if (name.at) host_timer_set(OF(name), delay, has_data, payload.is_binary, payload.at, payload.len, &result);
    free_text(name);
    free_text(held);
    return name.at ? answered(&result, as_nothing) : JS_EXCEPTION;
}

static JSValue alarm_set(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    double at;
    if (JS_ToFloat64(js, &at, argv[0]) < 0) return JS_EXCEPTION;
    host_alarm_set(at, &result);
    return answered(&result, as_nothing);
}

static JSValue alarm_get(JSContext *, JSValueConst, int, JSValueConst *) {
    pl_time_result result;
    host_alarm_get(&result);
    if (result.is_refused) return refused(result.ok.refusal.why, result.ok.refusal.words);
    return result.ok.option.is_some ? JS_NewFloat64(js, result.ok.option.number) : JS_NULL;
}

/* What takes nothing. */
static JSValue look(void (*how)(pl_result *), JSValue (*convert)(const pl_result *)) {
    pl_result result;
    how(&result);
    return answered(&result, convert);
}

static JSValue alarm_cancel(JSContext *, JSValueConst, int, JSValueConst *) {
    return look(host_alarm_cancel, as_nothing);
}

static JSValue room_id(JSContext *, JSValueConst, int, JSValueConst *) {
    return look(host_room_id, as_string);
}

static JSValue session_count(JSContext *, JSValueConst, int, JSValueConst *) {
    return look(host_session_count, as_number);
}

static JSValue user_ids(JSContext *, JSValueConst, int, JSValueConst *) {
    return look(host_user_ids, as_strings);
}

static JSValue random_bytes(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    uint32_t count;
    if (JS_ToUint32(js, &count, argv[0]) < 0) return JS_EXCEPTION;
    host_random(count, &result);
    return answered(&result, as_bytes);
}

static JSValue config(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_option found;
    text key = text_of(argv[0]);
    if (!key.at) return JS_EXCEPTION;
    host_config(OF(key), &found);
    free_text(key);
    JSValue value = found.is_some ? string_of(found.span) : JS_NULL;
    free_given();
    return value;
}

/* The contract's `level`, in its order. */
static const char *const levels[] = {"debug", "info", "warn", "error"};

static JSValue log_write(JSContext *, JSValueConst, int, JSValueConst *argv) {
    uint32_t level = 0;
    text name = text_of(argv[0]), message = text_of(argv[1]);
    if (name.at && message.at) {
        while (level < 3 && strcmp(name.at, levels[level]) != 0) level++;
        host_log(level, OF(message));
    }
    free_text(name);
    free_text(message);
    return name.at && message.at ? JS_UNDEFINED : JS_EXCEPTION;
}

const JSCFunctionListEntry state_functions[] = {
    JS_CFUNC_DEF("alarmCancel", 0, alarm_cancel),
    JS_CFUNC_DEF("alarmGet", 0, alarm_get),
    JS_CFUNC_DEF("alarmSet", 1, alarm_set),
    JS_CFUNC_DEF("close", 3, close_socket),
    JS_CFUNC_DEF("configGet", 1, config),
    JS_CFUNC_DEF("eventsOff", 1, off),
    JS_CFUNC_DEF("eventsOn", 1, on),
    JS_CFUNC_DEF("getMeta", 1, get_meta),
    JS_CFUNC_DEF("join", 2, join),
    JS_CFUNC_DEF("leave", 2, leave),
    JS_CFUNC_DEF("logWrite", 2, log_write),
    JS_CFUNC_DEF("present", 1, present),
    JS_CFUNC_DEF("randomBytes", 1, random_bytes),
    JS_CFUNC_DEF("roomId", 0, room_id),
    JS_CFUNC_DEF("sessionCount", 0, session_count),
    JS_CFUNC_DEF("setFields", 2, set_fields),
    JS_CFUNC_DEF("timerCancel", 1, timer_cancel),
    JS_CFUNC_DEF("timerSet", 3, timer_set),
    JS_CFUNC_DEF("userIds", 0, user_ids),
};
const int state_function_count = sizeof state_functions / sizeof *state_functions;

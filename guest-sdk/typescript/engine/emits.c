/* The contract's `outbox` and `inbox`. */

#include "engine.h"

static JSValue to_clients(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    pl_payload payload;
    texts clients;
    if (!texts_of(argv[0], &clients)) return JS_EXCEPTION;
    text held, event = text_of(argv[1]);
    JSValue answer = JS_EXCEPTION;
    if (event.at && payload_of(argv[2], &payload, &held)) {
        host_to_clients(clients.outs, clients.count, OF(event), SENT(payload), &result);
        answer = answered(&result, as_number);
        free_text(held);
    }
    free_text(event);
    free_texts(&clients);
    return answer;
}

static JSValue to_channel_except(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    pl_payload payload;
    texts excluded;
    if (!texts_of(argv[1], &excluded)) return JS_EXCEPTION;
    text held, channel = text_of(argv[0]), event = text_of(argv[2]);
    JSValue answer = JS_EXCEPTION;
    if (channel.at && event.at && payload_of(argv[3], &payload, &held)) {
        host_to_channel_except(OF(channel), excluded.outs, excluded.count, OF(event), SENT(payload), &result);
        answer = answered(&result, as_number);
        free_text(held);
    }
    free_text(event);
    free_text(channel);
    free_texts(&excluded);
    return answer;
}

/* Whom an emit of more than one condition is for: users and clients, either of them only where there are such. */
typedef struct whom {
    texts users, clients;
} whom;

#define SOME(list) (list).outs != NULL, (list).outs, (list).count

static bool whom_of(JSValueConst users, JSValueConst clients, whom *whom) {
    whom->clients = (texts){0};
    if (!some_texts_of(users, &whom->users)) return false;
    if (some_texts_of(clients, &whom->clients)) return true;
    free_texts(&whom->users);
    return false;
}

static void free_whom(whom *whom) {
    free_texts(&whom->users);
    free_texts(&whom->clients);
}

static JSValue to_channel_some(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    pl_payload payload;
    whom whom;
    texts excluded;
    if (!whom_of(argv[1], argv[2], &whom)) return JS_EXCEPTION;
    if (!texts_of(argv[3], &excluded)) {
        free_whom(&whom);
        return JS_EXCEPTION;
    }
    text held, channel = text_of(argv[0]), event = text_of(argv[4]);
    JSValue answer = JS_EXCEPTION;
    if (channel.at && event.at && payload_of(argv[5], &payload, &held)) {
        host_to_channel_some(OF(channel), SOME(whom.users), SOME(whom.clients), excluded.outs, excluded.count, OF(event),
                             SENT(payload), &result);
        answer = answered(&result, as_number);
        free_text(held);
    }
    free_text(event);
    free_text(channel);
    free_texts(&excluded);
    free_whom(&whom);
    return answer;
}

static JSValue to_room(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    pl_payload payload;
    whom whom;
    bool has_channel = !JS_IsNull(argv[1]);
    if (!whom_of(argv[2], argv[3], &whom)) return JS_EXCEPTION;
    text held, room = text_of(argv[0]), channel = has_channel ? text_of(argv[1]) : (text){"", 0}, event = text_of(argv[4]);
    JSValue answer = JS_EXCEPTION;
    if (room.at && channel.at && event.at && payload_of(argv[5], &payload, &held)) {
        host_to_room(OF(room), has_channel, OF(channel), SOME(whom.users), SOME(whom.clients), OF(event), SENT(payload),
                     &result);
        answer = answered(&result, as_nothing);
        free_text(held);
    }
    free_text(event);
    if (has_channel) free_text(channel);
    free_text(room);
    free_whom(&whom);
    return answer;
}

static JSValue attach(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    size_t len;
    const uint8_t *at = JS_GetUint8Array(js, &len, argv[0]);
    if (!at) return JS_EXCEPTION;
    host_attach(at, len, &result);
    return answered(&result, as_number);
}

static JSValue spread(JSContext *, JSValueConst, int, JSValueConst *) {
    pl_result result;
    host_spread(&result);
    return answered(&result, as_nothing);
}

static JSValue ask(JSContext *, JSValueConst, int, JSValueConst *argv) {
    pl_result result;
    pl_payload payload;
    uint32_t socket, timeout;
    if (JS_ToUint32(js, &socket, argv[0]) < 0 || JS_ToUint32(js, &timeout, argv[4]) < 0) return JS_EXCEPTION;
    text held, event = text_of(argv[1]), name = text_of(argv[3]);
    JSValue answer = JS_EXCEPTION;
    if (event.at && name.at && payload_of(argv[2], &payload, &held)) {
        host_ask(socket, OF(event), SENT(payload), OF(name), timeout, &result);
        answer = answered(&result, as_nothing);
        free_text(held);
    }
    free_text(name);
    free_text(event);
    return answer;
}

static JSValue argument_count(JSContext *, JSValueConst, int, JSValueConst *) {
    return JS_NewUint32(js, host_arguments());
}

static JSValue attachments(JSContext *, JSValueConst, int, JSValueConst *) {
    struct pl_span found;
    host_attachments(&found);
    const struct pl_span *from = found.at;
    JSValue list = JS_NewArray(js);
    for (uint32_t at = 0; at < found.len; at++) JS_SetPropertyUint32(js, list, at, bytes_of(from[at]));
    free_given();
    return list;
}

const JSCFunctionListEntry emit_functions[] = {
    JS_CFUNC_DEF("argumentCount", 0, argument_count),
    JS_CFUNC_DEF("ask", 5, ask),
    JS_CFUNC_DEF("attach", 1, attach),
    JS_CFUNC_DEF("attachments", 0, attachments),
    JS_CFUNC_DEF("spread", 0, spread),
    JS_CFUNC_DEF("toChannelExcept", 4, to_channel_except),
    JS_CFUNC_DEF("toChannelSome", 6, to_channel_some),
    JS_CFUNC_DEF("toClients", 3, to_clients),
    JS_CFUNC_DEF("toRoom", 6, to_room),
};
const int emit_function_count = sizeof emit_functions / sizeof *emit_functions;

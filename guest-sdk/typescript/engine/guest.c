/* What the host calls: the contract's `guest`, as the canonical ABI lowers it, by the functions that the SDK exports. */

#include "context.h"

#include <stdlib.h>
#include <string.h>

#define GUEST "parlor:room/guest@0.1.0#"

/* Texts that the host reads when a call has returned. */
static text *kept;
static size_t kept_count, kept_room;

static pl_out keep(text one) {
    if (kept_count == kept_room) {
        kept_room = kept_room ? kept_room * 2 : 8;
        kept = needed(realloc(kept, kept_room * sizeof *kept));
    }
    kept[kept_count++] = one;
    return (pl_out){one.at ? one.at : "", one.at ? one.len : 0};
}

/* A member of an object, as a text that is kept. */
static pl_out member(JSValueConst object, const char *name) {
    JSValue value = JS_GetPropertyStr(js, object, name);
    text one = JS_IsException(value) ? (text){0} : text_of(value);
    if (!one.at) JS_FreeValue(js, JS_GetException(js));
    JS_FreeValue(js, value);
    return keep(one);
}

static void release(void) {
    while (kept_count) free_text(kept[--kept_count]);
}

EXPORT("cabi_post_" GUEST "init") void after_init(void *) {
    release();
}

EXPORT("cabi_post_" GUEST "authorize") void after_authorize(void *) {
    release();
}

EXPORT("cabi_post_" GUEST "handle") void after_handle(void *) {
    release();
}

/* What was thrown that the SDK did not throw on purpose. */
static pl_out words_of(JSValueConst thrown) {
    text one = text_of(thrown);
    if (!one.at) JS_FreeValue(js, JS_GetException(js));
    return keep(one);
}

/* `result<definition, string>` */
struct defined {
    uint8_t is_err;
    pl_out name_or_words, path;
};

/* What the plugin says of itself, when its top level has ended. */
static text display_name, path;
/* Whether the SDK has something to say or to do when an instance begins: most plugins have nothing. */
static bool has_begin;

static JSValue set_definition(JSContext *, JSValueConst, int, JSValueConst *argv) {
    display_name = text_of(argv[0]);
    path = text_of(argv[1]);
    has_begin = JS_ToBool(js, argv[2]) > 0;
    return display_name.at && path.at ? JS_UNDEFINED : JS_EXCEPTION;
}

/* Whether the plugin runs, and is not being built: there is a host to ask. */
static bool is_begun;

bool has_host(void) {
    return is_begun;
}

static JSValue tell_host(JSContext *, JSValueConst, int, JSValueConst *) {
    return JS_NewBool(js, is_begun);
}

/* False where the plugin cannot begin; `words` are then the string that says why. */
static bool begin(JSValue *words) {
    if (has_begin) *words = call_hook(HOOK_BEGIN, 0, NULL);
    if (JS_IsException(*words)) *words = JS_GetException(js);
    return JS_IsUndefined(*words) && begin_events(words);
}

EXPORT(GUEST "init") struct defined *guest_init(void) {
    static struct defined answer;
    JSValue words = JS_UNDEFINED;
    is_begun = true;
    JS_UpdateStackTop(JS_GetRuntime(js));
    if (begin(&words)) answer = (struct defined){0, {OF(display_name)}, {OF(path)}};
    else answer = (struct defined){1, words_of(words), {0}};
    JS_FreeValue(js, words);
    return &answer;
}

/* `result<option<meta>, rejection>` */
struct authorized {
    uint8_t is_err;
    union {
        struct {
            uint8_t is_some;
            pl_out user, client;
            const pl_out *channels;
            size_t count;
            pl_out fields;
        } meta;
        struct {
            uint16_t status;
            pl_out words;
        } refused;
    } answer;
};

static JSValue request_of(struct pl_span uri, struct pl_span room, const struct pl_span *headers, size_t count,
                          struct pl_span remote) {
    JSValue request = JS_NewObject(js), list = JS_NewArray(js);
    for (uint32_t at = 0; at < count; at++) {
        JSValue pair[2] = {string_of(headers[at * 2]), string_of(headers[at * 2 + 1])};
        JS_SetPropertyUint32(js, list, at, JS_NewArrayFrom(js, 2, pair));
    }
    JS_SetPropertyStr(js, request, "uri", string_of(uri));
    JS_SetPropertyStr(js, request, "room", string_of(room));
    JS_SetPropertyStr(js, request, "headers", list);
    JS_SetPropertyStr(js, request, "remote", string_of(remote));
    return request;
}

static void set_meta(struct authorized *answer, JSValueConst found) {
    static texts channels;
    free_texts(&channels);
    JSValue list = JS_GetPropertyStr(js, found, "channels");
    if (!texts_of(list, &channels)) JS_FreeValue(js, JS_GetException(js));
    JS_FreeValue(js, list);
    answer->answer.meta.is_some = 1;
    answer->answer.meta.user = member(found, "userId");
    answer->answer.meta.client = member(found, "clientId");
    answer->answer.meta.channels = channels.outs;
    answer->answer.meta.count = channels.count;
    answer->answer.meta.fields = member(found, "fields");
}

EXPORT(GUEST "authorize")
struct authorized *guest_authorize(const char *uri, size_t uri_len, const char *room, size_t room_len,
                                   const struct pl_span *headers, size_t count, const char *remote, size_t remote_len) {
    static struct authorized answer;
    answer = (struct authorized){0};
    JSValue request =
        request_of((struct pl_span){uri, uri_len}, (struct pl_span){room, room_len}, headers, count,
                   (struct pl_span){remote, remote_len});
    free_given();
    JS_UpdateStackTop(JS_GetRuntime(js));
    JSValue found = call_hook(HOOK_AUTHORIZE, 1, &request);
    JS_FreeValue(js, request);
    if (JS_IsException(found)) {
        JSValue thrown = JS_GetException(js);
        JSValue status = JS_IsObject(thrown) ? JS_GetPropertyStr(js, thrown, "status") : JS_UNDEFINED;
        int32_t number = 500;
        answer.is_err = 1;
        if (JS_IsNumber(status)) JS_ToInt32(js, &number, status);
        answer.answer.refused.status = (uint16_t)number;
        answer.answer.refused.words = JS_IsNumber(status) ? member(thrown, "message") : words_of(thrown);
        JS_FreeValue(js, status);
        JS_FreeValue(js, thrown);
    } else if (!JS_IsNull(found)) {
        set_meta(&answer, found);
    }
    JS_FreeValue(js, found);
    return &answer;
}

/* Fails a turn with what was thrown. */
void set_failure(handled *answer) {
    JSValue thrown = JS_GetException(js), sender = JS_IsObject(thrown) ? JS_GetPropertyStr(js, thrown, "forSender") : JS_UNDEFINED;
    answer->is_err = 1;
    if (JS_IsBool(sender)) {
        answer->is.failure.code = member(thrown, "code");
        answer->is.failure.message = member(thrown, "message");
        answer->is.failure.for_sender = (uint8_t)JS_ToBool(js, sender);
    } else {
        answer->is.failure.code = (pl_out){"error", 5};
        answer->is.failure.message = words_of(thrown);
    }
    JS_FreeValue(js, sender);
    JS_FreeValue(js, thrown);
}

/* Answers an event with a payload, as the SDK has it. */
void set_answer(handled *answer, JSValueConst found) {
    pl_payload payload;
    text held;
    /* Bytes are the host's before anything else runs here. */
    static JSValue last = JS_UNDEFINED;
    JS_FreeValue(js, last);
    last = JS_DupValue(js, found);
    if (!payload_of(found, &payload, &held)) {
        set_failure(answer);
        return;
    }
    if (held.at) keep(held);
    set_body(answer, &payload);
}

void set_body(handled *answer, const pl_payload *payload) {
    answer->is.answer.is_some = 1;
    answer->is.answer.is_binary = payload->is_binary;
    answer->is.answer.data = (pl_out){payload->at, payload->len};
}

EXPORT(GUEST "handle")
handled *guest_handle(const char *cause, size_t cause_len, const char *name, size_t name_len, bool has_channel,
                      const char *channel, size_t channel_len, bool has_payload, uint32_t is_binary, const char *data,
                      size_t data_len, bool has_socket, uint32_t socket, bool answer_wanted, double accepted_at) {
    static handled answer;
    answer = (handled){0};
    const event event = {
        .cause = {cause, cause_len},
        .name = {name, name_len},
        .channel = {channel, channel_len},
        .data = {data, data_len},
        .has_channel = has_channel,
        .has_payload = has_payload,
        .is_binary = is_binary,
        .has_socket = has_socket,
        .answer_wanted = answer_wanted,
        .socket = socket,
    };
    JS_UpdateStackTop(JS_GetRuntime(js));
    hold_given();
    handle_event(&event, accepted_at, &answer);
    let_go();
    return &answer;
}

const JSCFunctionListEntry guest_functions[] = {
    JS_CFUNC_DEF("hasHost", 0, tell_host),
    JS_CFUNC_DEF("setDefinition", 3, set_definition),
};
const int guest_function_count = sizeof guest_functions / sizeof *guest_functions;

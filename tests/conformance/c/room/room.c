/* The reference plugin of the C SDK: tests/conformance/README.md says what it does, this is how. Both versions include it. */

#include "memory.c"
#include "scene.c"

#include "control.c"
#include "emits.c"
#include "sockets.c"
#include "storage.c"
#include "time.c"

/* The operations, by what of the SDK they call. */
static pl_json perform(const args *args, const char *name) {
    static group *const groups[] = {emits, sockets, storage, later, handlers, values};
    for (size_t at = 0; at < sizeof groups / sizeof *groups; at++) {
        pl_json result;
        if (groups[at](args, name, &result)) return result.text ? result : pl_null;
    }
    return bad(pl_format("there is no operation \"%s\"", name));
}

static void run_in(pl_event *event, pl_json ops, pl_json hook) {
    scene scene = {.event = event, .hook = hook};
    memory.next = 0;
    run(&scene, ops);
}

static void on_do(pl_event *event) {
    scene scene = {.event = event};
    memory.next = 0;
    pl_json did = run(&scene, event->data);
    if (!pl_failed()) pl_emit(event, "did", did);
}

static void on_sync(pl_event *event) {
    pl_emit(event, "synced", event->data);
}

static void on_question(pl_event *event) {
    pl_answer(event, event->data);
}

static void on_hang(pl_event *event) {
    for (volatile bool forever = true; forever;) continue;
}

static void on_message(pl_event *event) {
    pl_emit(event, "fallback", frame_of(event));
}

static void on_connect(pl_event *event) {
    pl_json ops = pl_at(pl_meta_of(event->socket).fields, "connect");
    if (ops.text) run_in(event, ops, (pl_json){0});
}

static void on_disconnect(pl_event *event) {
    pl_json ops = pl_at(pl_meta_of(event->socket).fields, "disconnect");
    if (ops.text) run_in(event, ops, event->data);
}

static void on_alarm(pl_event *event) {
    pl_json ops = pl_get("on-alarm");
    if (ops.text) run_in(event, ops, event->data);
}

static void on_timer(pl_event *event) {
    run_in(event, event->data, (pl_json){0});
}

static void on_ack(pl_event *event) {
    pl_json data = pl_at(event->data, "data");
    pl_bytes bytes = pl_bytes_of(data);
    if (bytes.at) data = pl_of_bytes(bytes.at, bytes.len);
    pl_emit_all("answered", pl_obj("name", pl_str(event->name), "outcome", pl_at(event->data, "outcome"), "data",
                                   data.text ? data : pl_null));
}

static void tell(const char *event, const pl_event *of) {
    const char *client = pl_meta_of(of->socket).client_id;
    pl_emit_all(event, pl_obj("userId", pl_at(of->data, "userId"), "client", pl_str(client)));
}

static void on_user_join(pl_event *event) {
    tell("user-join", event);
}

static void on_user_leave(pl_event *event) {
    tell("user-leave", event);
}

static void on_lost(pl_event *event) {
    pl_emit_all("lost", pl_obj("client", pl_str(pl_meta_of(event->socket).client_id)));
}

static void on_back(pl_event *event) {
    pl_emit_all("back", pl_obj("client", pl_str(pl_meta_of(event->socket).client_id)));
}

/* Splits a text at its commas. */
static const char *const *split(const char *text, size_t *count) {
    char *rest = strcpy(pl_alloc(strlen(text) + 1), text);
    const char **parts = pl_alloc((strlen(text) + 1) * sizeof *parts);
    *count = 0;
    for (char *part; (part = strsep(&rest, ","));) parts[(*count)++] = part;
    return parts;
}

static const char *or_empty(const char *text) {
    return text ? text : "";
}

static bool authorize(const pl_request *request, pl_meta *meta) {
    const char *how = or_empty(pl_query(request, "how")), *words = or_empty(pl_query(request, "words"));
    const char *channels = pl_query(request, "in"), *fields = pl_query(request, "fields");
    if (strcmp(how, "") == 0) meta->user_id = or_empty(pl_query(request, "user"));
    else if (strcmp(how, "none") == 0) return false;
    else if (strcmp(how, "reject") == 0) pl_refuse(atoi(or_empty(pl_query(request, "status"))), words);
    else if (strcmp(how, "fail") == 0) pl_fail("error", words);
    else if (strcmp(how, "header") == 0) meta->user_id = or_empty(pl_header(request, "X-User"));
    else if (strcmp(how, "config") == 0) meta->user_id = or_empty(pl_config("user"));
    else if (strcmp(how, "room") == 0) meta->user_id = request->room;
    else pl_refuse(400, pl_format("how=%s: the README names what there is", how));
    meta->client_id = pl_query(request, "client");
    if (channels) meta->channels = split(channels, &meta->channel_count);
    if (fields) meta->fields = pl_parse(fields);
    return true;
}

/* What the configuration asks the host to keep and to tell of channels. */
static void channels(void) {
    const char *keeps = pl_config("keep"), *presence = pl_config("presence");
    size_t count = 0;
    const char *const *all = keeps ? split(keeps, &count) : NULL;
    for (size_t at = 0; at < count; at++) {
        char channel[129], durable[8] = "";
        unsigned entries, ttl_ms;
        if (sscanf(all[at], "%128s %u %u %7s", channel, &entries, &ttl_ms, durable) < 3) continue;
        pl_keep_history(channel, entries, ttl_ms, *durable);
    }
    if (presence) pl_presence(presence);
    if (pl_config("lines")) {
        pl_on_lost(on_lost);
        pl_on_back(on_back);
    }
    if (!pl_config("users")) return;
    pl_on_user_join(on_user_join);
    pl_on_user_leave(on_user_leave);
}

PL_ROOM("conformance", "/conformance") {
    static const char *const names[] = {"a", "b", "c"};
    pl_authorize(authorize);
    pl_on("do", on_do);
    pl_on("sync", on_sync);
    pl_on("question", on_question);
    pl_on("hang", on_hang);
    pl_on_message(on_message);
    pl_on_connect(on_connect);
    pl_on_disconnect(on_disconnect);
    pl_on_alarm(on_alarm);
    for (size_t at = 0; at < 3; at++) {
        pl_on_timer(names[at], on_timer);
        pl_on_ack(names[at], on_ack);
    }
    life_handlers();
    channels();
}

/* Handlers, errors, the log, memory, and what cases are put together with. */

static void run_registered(pl_event *event) {
    /* What the runner asks for itself is no part of a case. */
    if (is(event->name, "sync")) return;
    const registered *own = event->own;
    /* The operations may remove this handler. */
    char *copy = memcpy(pl_alloc(own->ops.len), own->ops.text, own->ops.len);
    scene scene = {.event = event, .data = event->data};
    memory.next = 0;
    run(&scene, (pl_json){copy, own->ops.len});
}

static void on(const args *args) {
    const char *event = text(args, 0), *tag = text(args, 1);
    registered *own = calloc(1, sizeof *own + strlen(tag) + 1);
    strcpy(own->tag, tag);
    keep(&own->ops, raw(args, 2));
    own->handler = pl_on_with(event, run_registered, own);
    own->next = memory.handlers;
    memory.handlers = own;
}

static bool off(const char *tag) {
    for (registered **at = &memory.handlers; *at; at = &(*at)->next) {
        if (!is((*at)->tag, tag)) continue;
        /* Not freed: an event that runs may hold it still. */
        bool was_there = pl_off((*at)->handler);
        *at = (*at)->next;
        return was_there;
    }
    return false;
}

static pl_json attempt(const args *args) {
    pl_json done = perform_op(args->scene, raw(args, 0));
    const char *code = pl_failed();
    pl_forgive();
    return code ? pl_obj("error", pl_str(code)) : pl_obj("ok", done);
}

static void write_log(const args *args) {
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    const char *level = text(args, 0), *line = text(args, 1);
    for (int at = 0; at < 4; at++)
        if (is(level, levels[at])) {
            pl_log((pl_level)at, line);
            return;
        }
    bad(pl_format("there is no level \"%s\"", level));
}

static void suspend(pl_event *event) {
    if (memory.on_suspend.text) {
        scene scene = {.event = event, .hook = event->data};
        memory.next = 0;
        run(&scene, memory.on_suspend);
    }
    pl_answer(event, or_null(memory.value));
}

static void note_resumed(pl_event *event) {
    keep(&memory.resumed, pl_obj("schema", pl_str(event->schema), "state", event->data));
}

static void resume(pl_event *event) {
    note_resumed(event);
    keep(&memory.value, event->data);
}

static void restore(pl_event *event) {
    keep(&memory.restored, pl_at(event->data, "reason"));
}

static void error(pl_event *event) {
    pl_list errors = {0};
    size_t at = 0;
    pl_json item;
    while (pl_next(memory.errors, &at, NULL, &item)) pl_list_add(&errors, item);
    pl_list_add(&errors, pl_obj("event", pl_at(event->data, "event"), "code", pl_at(event->data, "code"), "message",
                                pl_at(event->data, "message"), "socket", pl_of_bool(event->has_socket)));
    keep(&memory.errors, pl_list_json(&errors));
}

/* The hooks of an instance's beginning, its end and its failures. */
static void life_handlers(void) {
    pl_on_error(error);
    pl_on_restore(restore);
    pl_on_suspend(pl_format("state/%d", VERSION), suspend);
    for (int version = 1; version <= VERSION; version++) pl_on_resume(pl_format("state/%d", version), resume);
    if (VERSION == 1) pl_on_resume_any(note_resumed);
}

static bool handlers(const args *args, const char *name, pl_json *result) {
    scene *scene = args->scene;
    *result = pl_null;
    if (is(name, "on")) on(args);
    else if (is(name, "off")) *result = pl_of_bool(off(text(args, 0)));
    else if (is(name, "off-all")) *result = pl_of_bool(pl_off_all(text(args, 0)));
    else if (is(name, "answer")) pl_answer(scene->event, value(args, 0));
    else if (is(name, "throw")) pl_fail("error", text(args, 0));
    else if (is(name, "fail")) pl_fail(text(args, 0), text(args, 1));
    else if (is(name, "reject")) pl_reject(text(args, 0), text(args, 1));
    else if (is(name, "try")) *result = attempt(args);
    else if (is(name, "repeat"))
        for (long long left = number(args, 0); left > 0 && !pl_failed(); left--) *result = perform_op(scene, raw(args, 1));
    else if (is(name, "log")) write_log(args);
    else if (is(name, "remember")) keep(&memory.value, value(args, 0));
    else if (is(name, "life")) *result = life();
    else if (is(name, "errors")) *result = take_errors();
    else if (is(name, "suspend-as")) pl_on_suspend(text(args, 0), suspend);
    else if (is(name, "on-suspend")) keep(&memory.on_suspend, raw(args, 0));
    else return false;
    return true;
}

static pl_json repeated(const char *text, long long times) {
    size_t len = strlen(text);
    char *all = pl_alloc(len * (size_t)times + 1), *to = all;
    for (; times > 0; times--) to = (char *)memcpy(to, text, len) + len;
    *to = 0;
    return pl_str(all);
}

static pl_json concat(const args *args) {
    const char *all = "";
    for (size_t at = 0; raw(args, at).text; at++) {
        pl_json part = value(args, at);
        bool is_text = pl_kind_of(part) == PL_TEXT;
        all = is_text ? pl_format("%s%s", all, pl_text(part)) : pl_format("%s%.*s", all, (int)part.len, part.text);
    }
    return pl_str(all);
}

static pl_json filled(const args *args) {
    pl_list list = {0};
    for (long long left = number(args, 0); left > 0 && !pl_failed(); left--) pl_list_add(&list, value(args, 1));
    return pl_list_json(&list);
}

static pl_json nested(size_t depth) {
    char *text = pl_alloc(depth * 2 + 1);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    return (pl_json){text, depth * 2};
}

static pl_json size(pl_json value) {
    long long letters = 0;
    if (pl_kind_of(value) == PL_ARRAY) return pl_num((long long)pl_count(value));
    if (pl_kind_of(value) != PL_TEXT) return bad("this has no size");
    for (const char *at = pl_text(value); *at; at++) letters += (*at & 0xC0) != 0x80;
    return pl_num(letters);
}

static bool values(const args *args, const char *name, pl_json *result) {
    const scene *scene = args->scene;
    if (is(name, "raw")) *result = raw(args, 0);
    else if (is(name, "data")) *result = or_null(scene->data);
    else if (is(name, "frame")) *result = frame_of(scene->event);
    else if (is(name, "hook")) *result = or_null(scene->hook);
    else if (is(name, "random")) *result = pl_str(pl_random_id());
    else if (is(name, "concat")) *result = concat(args);
    else if (is(name, "filled")) *result = filled(args);
    else if (is(name, "size")) *result = size(value(args, 0));
    else if (is(name, "nested")) *result = nested((size_t)number(args, 0));
    else if (is(name, "next")) *result = pl_num(++memory.next);
    else if (is(name, "config")) {
        const char *value = pl_config(text(args, 0));
        *result = value ? pl_str(value) : pl_null;
    } else if (is(name, "text")) {
        const char *part = text(args, 0);
        *result = repeated(part, number(args, 1));
    } else if (is(name, "equal")) {
        pl_json one = value(args, 0);
        *result = pl_of_bool(pl_same(one, value(args, 1)));
    } else return false;
    return true;
}

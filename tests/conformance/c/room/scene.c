/* Where operations run: the turn, and what they may look at. */

typedef struct scene {
    pl_event *event;
    /* The data of the event, as the handler has it. */
    pl_json data;
    /* What came with the hook. */
    pl_json hook;
} scene;

/* What an operation is given. */
typedef struct args {
    scene *scene;
    /* The operation: a list that begins with its name. */
    pl_json op;
} args;

/* A group of operations: answers whether it has this one, and its result. */
typedef bool group(const args *args, const char *name, pl_json *result);

static pl_json perform(const args *args, const char *name);

/* A case that asks for something that is not in the README. */
static pl_json bad(const char *why) {
    pl_fail("bad-case", why);
    return pl_null;
}

static bool is(const char *name, const char *other) {
    return strcmp(name, other) == 0;
}

/* Runs one operation. */
static pl_json perform_op(scene *scene, pl_json op) {
    pl_json name = pl_item(op, 0);
    if (pl_kind_of(name) != PL_TEXT) return bad("an operation is a list that begins with its name");
    return perform(&(args){scene, op}, pl_text(name));
}

/* Runs a list of operations up to the first that fails; the list of their results. */
static pl_json run(scene *scene, pl_json ops) {
    pl_list results = {0};
    size_t at = 0;
    pl_json op;
    if (pl_kind_of(ops) != PL_ARRAY) return bad("operations are a list");
    while (!pl_failed() && pl_next(ops, &at, NULL, &op)) pl_list_add(&results, perform_op(scene, op));
    return pl_list_json(&results);
}

/* A value, with the results of the operations in it. */
static pl_json evaluated(scene *scene, pl_json value) {
    pl_kind kind = pl_kind_of(value);
    bool is_plain = !value.text || !memmem(value.text, value.len, "\"$\"", 3);
    if (is_plain || (kind != PL_OBJECT && kind != PL_ARRAY)) return value;
    pl_json inner = pl_at(value, "$"), item;
    if (inner.text && pl_count(value) == 1) return perform_op(scene, inner);
    pl_list list = {0};
    size_t at = 0;
    pl_json name;
    while (!pl_failed() && pl_next(value, &at, &name, &item)) {
        pl_json done = evaluated(scene, item);
        if (kind == PL_OBJECT) pl_list_member(&list, name, done);
        else pl_list_add(&list, done);
    }
    return kind == PL_OBJECT ? pl_list_object(&list) : pl_list_json(&list);
}

/* An argument as it stands; none where there is none. */
static pl_json raw(const args *args, size_t at) {
    return pl_item(args->op, at + 1);
}

static pl_json value(const args *args, size_t at) {
    pl_json done = evaluated(args->scene, raw(args, at));
    return done.text ? done : pl_null;
}

static const char *text(const args *args, size_t at) {
    pl_json argument = value(args, at);
    if (pl_kind_of(argument) != PL_TEXT && !pl_failed()) bad(pl_format("argument %zu is no text", at + 1));
    return pl_text(argument);
}

static long long number(const args *args, size_t at) {
    pl_json argument = value(args, at);
    if (pl_kind_of(argument) != PL_NUMBER && !pl_failed()) bad(pl_format("argument %zu is no number", at + 1));
    return pl_int(argument);
}

static const char *const *texts(pl_json list, size_t *count) {
    const char **texts = pl_alloc((pl_count(list) + 1) * sizeof *texts);
    size_t at = 0;
    pl_json item;
    for (*count = 0; pl_next(list, &at, NULL, &item);) texts[(*count)++] = pl_text(item);
    return texts;
}

static pl_json array_of(const char *const *texts, size_t count) {
    pl_list list = {0};
    for (size_t at = 0; at < count; at++) pl_list_add(&list, pl_str(texts[at]));
    return pl_list_json(&list);
}

/* The frame of this event, as the client sent it. */
static pl_json frame_of(const pl_event *event) {
    return pl_obj("type", pl_str(event->name), "channel", event->channel ? pl_str(event->channel) : (pl_json){0}, "data",
                  event->data);
}

/* The socket of this turn; the turn fails where there is none. */
static pl_socket own_socket(const args *args) {
    if (!args->scene->event->has_socket) bad("this turn has no socket");
    return args->scene->event->socket;
}

/* The socket whose id this argument is, or that of this turn. */
static pl_socket socket_at(const args *args, size_t at) {
    return raw(args, at).text ? (pl_socket)number(args, at) : own_socket(args);
}

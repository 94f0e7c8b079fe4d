/* Saying things to clients. */

static pl_json bytes(pl_json numbers) {
    uint8_t *bytes = pl_alloc(pl_count(numbers) + 1);
    size_t at = 0, count = 0;
    pl_json item;
    while (pl_next(numbers, &at, NULL, &item)) bytes[count++] = (uint8_t)pl_int(item);
    return pl_of_bytes(bytes, count);
}

/* Names for pl_whom: NULL where the argument is `null`. */
static const char *const *names(const args *args, size_t at, size_t *count) {
    pl_json list = value(args, at);
    return pl_kind_of(list) == PL_NULL ? NULL : texts(list, count);
}

static bool emits_to_some(const args *args, const char *name, pl_json *result) {
    pl_whom whom = {0};
    *result = pl_null;
    if (is(name, "emit-some")) {
        whom.users = names(args, 1, &whom.user_count);
        whom.clients = names(args, 2, &whom.client_count);
        whom.excluded = names(args, 3, &whom.excluded_count);
        *result = pl_num(pl_emit_some(text(args, 0), &whom, text(args, 4), value(args, 5)));
        return true;
    }
    if (!is(name, "emit-room")) return false;
    whom.users = names(args, 2, &whom.user_count);
    whom.clients = names(args, 3, &whom.client_count);
    pl_json channel = value(args, 1);
    const char *in = pl_kind_of(channel) == PL_NULL ? NULL : pl_text(channel);
    pl_emit_room(text(args, 0), in, &whom, text(args, 4), value(args, 5));
    return true;
}

static bool asks(const args *args, const char *name, pl_json *result) {
    size_t at = is(name, "ask-socket");
    *result = pl_null;
    if (!at && !is(name, "ask")) return false;
    pl_socket socket = at ? (pl_socket)number(args, 0) : own_socket(args);
    const char *event = text(args, at), *ask = text(args, at + 2);
    pl_ask(socket, event, value(args, at + 1), ask, (uint32_t)number(args, at + 3));
    return true;
}

static bool emits(const args *args, const char *name, pl_json *result) {
    const pl_event *event = args->scene->event;
    size_t count;
    uint32_t reached;
    if (is(name, "emit")) {
        own_socket(args);
        reached = pl_emit(event, text(args, 0), value(args, 1));
    } else if (is(name, "emit-to")) {
        reached = pl_emit_to(text(args, 0), text(args, 1), value(args, 2));
    } else if (is(name, "emit-all")) {
        reached = pl_emit_all(text(args, 0), value(args, 1));
    } else if (is(name, "emit-channel")) {
        reached = pl_emit_channel(text(args, 0), text(args, 1), value(args, 2));
    } else if (is(name, "emit-except")) {
        const char *const *clients = texts(value(args, 1), &count);
        reached = pl_emit_except(text(args, 0), clients, count, text(args, 2), value(args, 3));
    } else if (is(name, "emit-user")) {
        reached = pl_emit_user(text(args, 0), text(args, 1), value(args, 2));
    } else if (is(name, "emit-clients")) {
        const char *const *clients = texts(value(args, 0), &count);
        reached = pl_emit_clients(clients, count, text(args, 1), value(args, 2));
    } else if (is(name, "emit-socket")) {
        reached = pl_emit_socket((pl_socket)number(args, 0), text(args, 1), value(args, 2));
    } else if (is(name, "emit-args")) {
        pl_json several = value(args, 1);
        pl_spread();
        reached = pl_emit(event, text(args, 0), several);
    } else if (is(name, "bytes")) {
        *result = bytes(value(args, 0));
        return true;
    } else {
        return emits_to_some(args, name, result) || asks(args, name, result);
    }
    *result = pl_num(reached);
    return true;
}

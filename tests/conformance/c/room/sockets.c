/* Sockets, and the room that they are in. */

static pl_json meta(pl_socket socket) {
    pl_meta meta = pl_meta_of(socket);
    return pl_obj("user", pl_str(meta.user_id), "client", pl_str(meta.client_id), "channels",
                  array_of(meta.channels, meta.channel_count), "fields", meta.fields);
}

static pl_json ids(const pl_socket *sockets, size_t count) {
    pl_list list = {0};
    for (size_t at = 0; at < count; at++) pl_list_add(&list, pl_num(sockets[at]));
    return pl_list_json(&list);
}

static pl_json sockets_in(const args *args) {
    const char *channel = text(args, 0);
    size_t count;
    const pl_socket *found;
    if (raw(args, 2).text) {
        pl_socket after = (pl_socket)pl_int(value(args, 1));
        bool has_after = pl_kind_of(value(args, 1)) != PL_NULL;
        found = pl_sockets_page(channel, has_after ? &after : NULL, (uint32_t)number(args, 2), &count);
    } else found = pl_sockets_in(channel, &count);
    return ids(found, count);
}

static pl_json history(const args *args) {
    bool has_after = pl_kind_of(value(args, 1)) != PL_NULL;
    pl_said_page page = pl_history(text(args, 0), has_after ? text(args, 1) : NULL, (uint32_t)number(args, 2));
    pl_list entries = {0};
    for (size_t at = 0; at < page.count; at++) {
        const pl_said *said = &page.entries[at];
        pl_list_add(&entries, pl_obj("position", pl_str(said->position), "event", pl_str(said->event), "data", said->data, "at",
                                     pl_real(said->at)));
    }
    return pl_obj("entries", pl_list_json(&entries), "recovered", pl_of_bool(page.recovered));
}

static bool sockets(const args *args, const char *name, pl_json *result) {
    *result = pl_null;
    if (is(name, "socket")) *result = pl_num(own_socket(args));
    else if (is(name, "count")) *result = pl_num(pl_session_count());
    else if (is(name, "sockets")) {
        size_t count;
        const pl_socket *found = pl_sockets(raw(args, 0).text ? text(args, 0) : NULL, &count);
        *result = ids(found, count);
    } else if (is(name, "sockets-in")) *result = sockets_in(args);
    else if (is(name, "history")) *result = history(args);
    else if (is(name, "position")) *result = pl_str(pl_history_position(text(args, 0)));
    else if (is(name, "room")) *result = pl_str(pl_room_id());
    else if (is(name, "meta")) *result = meta(socket_at(args, 0));
    else if (is(name, "join")) pl_join(socket_at(args, 1), text(args, 0));
    else if (is(name, "leave")) pl_leave(socket_at(args, 1), text(args, 0));
    else if (is(name, "set-fields")) pl_set_fields(socket_at(args, 1), value(args, 0));
    else if (is(name, "close")) pl_close(socket_at(args, 2), (int)number(args, 0), text(args, 1));
    else if (is(name, "users")) {
        size_t count;
        const char *const *users = pl_user_ids(&count);
        *result = array_of(users, count);
    } else return false;
    return true;
}

/* Sockets, and the room that they are in. */

static pl_json meta(pl_socket socket) {
    pl_meta meta = pl_meta_of(socket);
    return pl_obj("user", pl_str(meta.user_id), "client", pl_str(meta.client_id), "channels",
                  array_of(meta.channels, meta.channel_count), "fields", meta.fields);
}

static bool sockets(const args *args, const char *name, pl_json *result) {
    *result = pl_null;
    if (is(name, "socket")) *result = pl_num(own_socket(args));
    else if (is(name, "count")) *result = pl_num(pl_session_count());
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

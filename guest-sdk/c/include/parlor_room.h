/* Who is in the room, who may come in, and what is said to them. Include parlor.h. */

#ifndef PARLOR_ROOM_H
#define PARLOR_ROOM_H

/* ---- Emits. They leave when the turn commits, in this order; each answers how many sockets it addresses. ---- */

/* To the socket that caused the event.
 *
 *     pl_emit(event, "welcome", pl_obj("motto", pl_str("be brief")));
 */
uint32_t pl_emit(const pl_event *event, const char *name, pl_json data);

/* To a socket.
 *
 *     pl_emit_socket(winner, "won", pl_empty);
 */
uint32_t pl_emit_socket(pl_socket socket, const char *name, pl_json data);

/* To all in the channel `default`, the sender included.
 *
 *     pl_emit_all("score", pl_num(score));
 */
uint32_t pl_emit_all(const char *name, pl_json data);

/* To all in a channel, the sender included.
 *
 *     pl_emit_channel("red", "your-turn", pl_empty);
 */
uint32_t pl_emit_channel(const char *channel, const char *name, pl_json data);

/* To all in a channel but these clients.
 *
 *     const char *me[] = {pl_meta_of(event->socket).client_id};
 *     pl_emit_except("default", me, 1, "typing", pl_empty);
 */
uint32_t pl_emit_except(const char *channel, const char *const *clients, size_t count, const char *name, pl_json data);

/* To all sockets of a user.
 *
 *     pl_emit_user("ada", "mail", pl_num(1));
 */
uint32_t pl_emit_user(const char *user, const char *name, pl_json data);

/* To the sockets of these client ids.
 *
 *     const char *two[] = {"phone", "laptop"};
 *     pl_emit_clients(two, 2, "ring", pl_empty);
 */
uint32_t pl_emit_clients(const char *const *clients, size_t count, const char *name, pl_json data);

/* Whom an emit is for beside its channel: of these users, with these client ids, as far as such are given, without the excluded
 * client ids. NULL is no condition, whatever the count; another pointer with a count of 0 is nobody.
 *
 *     const char *players[] = {"ada", "bob"};
 *     pl_whom whom = {.users = players, .user_count = 2};
 */
typedef struct pl_whom {
    const char *const *users;
    size_t user_count;
    const char *const *clients;
    size_t client_count;
    const char *const *excluded;
    size_t excluded_count;
} pl_whom;

/* To those in a channel that fulfil all conditions.
 *
 *     pl_emit_some("table", &whom, "cards", pl_num(5));
 */
uint32_t pl_emit_some(const char *channel, const pl_whom *whom, const char *name, pl_json data);

/* Into another room once this turn has committed: of this plugin, by its id ("lobby"), or of another plugin of the same tenant
 * ("inbox/lobby"). To a channel, or NULL; of users and clients, or NULL; one of them there must be, and nobody can be excluded. The
 * data is JSON without bytes. Nobody tells whom it reaches: nobody hears it where the room is not open.
 *
 *     pl_emit_room("lobby", "default", NULL, "finished", pl_obj("room", pl_str(pl_room_id())));
 */
void pl_emit_room(const char *room, const char *channel, const pl_whom *whom, const char *name, pl_json data);

/* To a channel that the turn's own socket is in, without that socket; else to the user of that id. Verani's ctx.emit.to.
 *
 *     pl_emit_to("default", "said", event->data);
 */
uint32_t pl_emit_to(const char *target, const char *name, pl_json data);

/* Says that the next emit, ask or answer, whose data must be an array, is several arguments for clients whose protocol has
 * them. The one that comes next in the code takes it, whether the host takes that or not.
 *
 *     pl_spread();
 *     pl_emit(event, "moved", pl_array((pl_json[]){pl_num(3), pl_num(4)}, 2));
 */
void pl_spread(void);

/* Asks a socket's client, which has so many milliseconds for its answer: pl_on_ack of `ask` gets that, or learns that none came.
 *
 *     pl_ask(event->socket, "color?", pl_empty, "color", 10000);
 */
void pl_ask(pl_socket socket, const char *name, pl_json data, const char *ask, uint32_t timeout_ms);

/* How many arguments the client gave: more than 1 only where its protocol has several, which are an array then.
 *
 *     if (pl_arguments() > 1) pl_info("somebody uses Socket.IO");
 */
uint32_t pl_arguments(void);

/* ---- Sockets. ---- */

/* Who a socket belongs to. What pl_authorize fills in is read when its function has returned: see there.
 *
 *     pl_meta who = pl_meta_of(event->socket);
 *     pl_info(pl_format("%s, as %s", who.user_id, pl_text(pl_at(who.fields, "name"))));
 */
typedef struct pl_meta {
    const char *user_id;
    /* In pl_authorize: a random one where it is NULL. */
    const char *client_id;
    /* In pl_authorize: `default` where there are none. */
    const char *const *channels;
    size_t channel_count;
    /* Fields of your own: an object of up to 4 KiB. In pl_authorize: none where there are none. */
    pl_json fields;
} pl_meta;

/* What is known of a socket, with this turn's own changes.
 *
 *     const char *user = pl_meta_of(event->socket).user_id;
 */
pl_meta pl_meta_of(pl_socket socket);

/* Puts a socket into a channel.
 *
 *     pl_join(event->socket, "red");
 */
void pl_join(pl_socket socket, const char *channel);

/* Takes a socket out of a channel.
 *
 *     pl_leave(event->socket, "red");
 */
void pl_leave(pl_socket socket, const char *channel);

/* Replaces a socket's own fields.
 *
 *     pl_set_fields(event->socket, pl_obj("name", pl_str("Ada")));
 */
void pl_set_fields(pl_socket socket, pl_json fields);

/* Closes a socket when the turn has committed: with 1000, 1008, 1011 to 1013, or a code of your own from 3000 to 4999.
 *
 *     pl_close(event->socket, 4001, "kicked");
 */
void pl_close(pl_socket socket, int code, const char *reason);

/* ---- The room. ---- */

/* The room's id, as clients name it.
 *
 *     pl_info(pl_room_id());
 */
const char *pl_room_id(void);

/* How many sockets are in the room.
 *
 *     if (pl_session_count() == 2) start();
 */
uint32_t pl_session_count(void);

/* The sockets that are in the room, of a user or of all where that is NULL, in the order in which they came; sets how many.
 *
 *     size_t count;
 *     const pl_socket *own = pl_sockets(pl_meta_of(event->socket).user_id, &count);
 *     for (size_t at = 0; at < count; at++)
 *         if (own[at] != event->socket) pl_close(own[at], 4001, "you are elsewhere now");
 */
const pl_socket *pl_sockets(const char *user, size_t *count);

/* The sockets that are in a channel, in the order in which they came; sets how many.
 *
 *     const pl_socket *readers = pl_sockets_in("news", &count);
 */
const pl_socket *pl_sockets_in(const char *channel, size_t *count);

/* Up to `limit` of the sockets that are in a channel, 1 to 1,000: those that came behind one, where that is no NULL.
 *
 *     const pl_socket *ten = pl_sockets_page("news", NULL, 10, &count);
 */
const pl_socket *pl_sockets_page(const char *channel, const pl_socket *after, uint32_t limit, size_t *count);

/* Tells the sockets of a channel who is in it, once a turn is over that changed that. A newcomer gets `presence.state`, {"channel",
 * "users": [{"userId", "clients"}]}, itself among them, in ascending order; of more users than fit into 128 KiB, "more" says how many
 * are left out. The others get `presence.join` with the first socket of a user, and `presence.leave` with the last: {"channel",
 * "userId"}. None of this is in the channel's history. In PL_ROOM.
 *
 *     pl_presence("default");
 */
void pl_presence(const char *channel);

/* The ids of the users in the room, in order, each once; sets how many.
 *
 *     size_t count;
 *     const char *const *users = pl_user_ids(&count);
 */
const char *const *pl_user_ids(size_t *count);

/* ---- Who may come in. ---- */

/* The request for a connection.
 *
 *     static bool authorize(const pl_request *request, pl_meta *meta) {
 *         meta->user_id = pl_query(request, "user");
 *         if (!meta->user_id) pl_refuse(401, "say who you are");
 *         return true;
 *     }
 */
typedef struct pl_request {
    /* The address as the client saw it, with its query. */
    const char *uri;
    const char *room;
    /* The client's network address. */
    const char *remote;
    /* Names in lower case, each with its value behind it. */
    const char *const *headers;
    size_t header_count;
} pl_request;

/* Calls `fn` before a connection is accepted: it fills in `meta` and answers true, or answers false to leave it to the host, which
 * makes up a user. A turn's things do not work there: storage, emits, sockets. A failure is a 401 without words.
 *
 * `meta` is read when `fn` has returned. So nothing that it points to may be a variable of `fn`, such as an array of channels: it is
 * static, or what a function of the SDK gave, such as pl_query, pl_format and pl_alloc.
 *
 *     static bool authorize(const pl_request *request, pl_meta *meta) {
 *         static const char *const channels[] = {"default", "news"};
 *         char name[32];
 *         snprintf(name, sizeof name, "guest-%s", request->remote);
 *         meta->user_id = pl_format("%s", name);
 *         meta->channels = channels;
 *         meta->channel_count = 2;
 *         return true;
 *     }
 *     pl_authorize(authorize);
 */
void pl_authorize(bool (*fn)(const pl_request *request, pl_meta *meta));

/* Refuses the connection with an HTTP status and words for people, which are copied.
 *
 *     pl_refuse(403, "members only");
 */
void pl_refuse(int status, const char *message);

/* The first value of a query parameter, decoded; NULL where there is none. The letter NUL in it is C0 80, as in pl_text.
 *
 *     const char *token = pl_query(request, "token");
 */
const char *pl_query(const pl_request *request, const char *name);

/* The first value of a header, however its name is written; NULL where there is none. What a client of Socket.IO sent as `auth`
 * is the header parlor-auth.
 *
 *     const char *token = pl_header(request, "Authorization");
 */
const char *pl_header(const pl_request *request, const char *name);

#endif

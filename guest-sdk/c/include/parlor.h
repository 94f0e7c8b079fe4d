/* Parlor's SDK for plugins in C: handlers of a realtime room. README.md begins with a whole plugin.
 *
 * Texts are UTF-8 and end with NUL; none may be NULL unless it says so. What functions give lives until the end of the call
 * (of the handler that runs, with all that the event runs), and so does what `pl_alloc` gives: nobody frees it. What must live
 * longer belongs to storage, or into memory of your own.
 *
 * A call that the host refuses fails the turn: the handler goes on, and what it does from there on comes to nothing. So code
 * need not check each call. `pl_failed` tells, `pl_forgive` takes it back. */

#ifndef PARLOR_H
#define PARLOR_H

#include "parlor_json.h"

/* A socket of the room: one connection of one user. */
typedef uint32_t pl_socket;

/* What happened in the room, for a handler.
 *
 *     static void say(pl_event *event) {
 *         pl_emit_all("said", pl_obj("text", pl_at(event->data, "text"), "from", pl_str(pl_meta_of(event->socket).user_id)));
 *     }
 */
typedef struct pl_event {
    /* The event of the client, or the hook; for timers and asks, their own name. */
    const char *name;
    /* What came with it; none where nothing came. */
    pl_json data;
    /* The channel that the client named; NULL where it named none. */
    const char *channel;
    /* The socket that caused it; has_socket says whether there is one. */
    pl_socket socket;
    bool has_socket;
    /* Whether the client waits for what pl_answer gives. */
    bool answer_wanted;
    /* When the room accepted it, in milliseconds since the Unix epoch. */
    double accepted_at;
    /* In handlers of pl_on_resume and pl_on_resume_any: the state's schema. */
    const char *schema;
    /* What was given to pl_on_with. */
    void *own;
    /* Why the host called: name, or the hook that stands for several names. */
    const char *cause;
    /* The answer so far, and whether pl_spread stood before it. */
    pl_json answer;
    bool answer_is_spread;
} pl_event;

/* A handler of events. */
typedef void pl_fn(pl_event *event);

/* A handler that was registered; 0 where the host refused it. */
typedef uint32_t pl_handler;

/* Defines the plugin: its name for people, the WebSocket path that it serves, and the code that registers its handlers, which
 * runs once in each instance.
 *
 *     PL_ROOM("counter", "/counter") {
 *         pl_on("add", add);
 *     }
 */
#define PL_ROOM(name, path)               \
    const char *const pl_room_name = name; \
    const char *const pl_room_path = path; \
    void pl_room(void)

/* What PL_ROOM defines. */
extern const char *const pl_room_name, *const pl_room_path;
void pl_room(void);

/* ---- Handlers. Those of one event run in the order of their registration. ---- */

/* Calls `fn` for an event of clients, for each one with "*", or for a hook such as "$connect". It may be called in handlers too.
 *
 *     pl_on("chat.message", say);
 */
pl_handler pl_on(const char *event, pl_fn *fn);

/* As pl_on, with something of your own for event->own.
 *
 *     static struct board left, right;
 *     pl_on_with("left", move, &left);
 *     pl_on_with("right", move, &right);
 */
pl_handler pl_on_with(const char *event, pl_fn *fn, void *own);

/* Removes a handler; answers whether it was there.
 *
 *     pl_off(handler);
 */
bool pl_off(pl_handler handler);

/* Removes all handlers of an event; answers whether there were any.
 *
 *     pl_off_all("chat.message");
 */
bool pl_off_all(const char *event);

/* Calls `fn` when somebody has come in.
 *
 *     static void welcome(pl_event *event) { pl_emit(event, "welcome", pl_obj("users", pl_num(pl_session_count()))); }
 *     pl_on_connect(welcome);
 */
pl_handler pl_on_connect(pl_fn *fn);

/* Calls `fn` when somebody has left; event->data is {"code", "reason"}. The socket's meta can still be read.
 *
 *     pl_on_disconnect(bye);
 */
pl_handler pl_on_disconnect(pl_fn *fn);

/* Calls `fn` when the first socket of a user has come into the room; event->data is {"userId"}.
 *
 *     pl_on_user_join(greet);
 */
pl_handler pl_on_user_join(pl_fn *fn);

/* Calls `fn` when the last socket of a user has left the room; event->data is {"userId"}. A socket that only lost its line has not
 * left before it can come back no more.
 *
 *     pl_on_user_leave(forget);
 */
pl_handler pl_on_user_leave(pl_fn *fn);

/* Calls `fn` when the line of a socket broke that can come back: it is a member as ever, and what is emitted to it waits. Either
 * pl_on_back or pl_on_disconnect follows.
 *
 *     pl_on_lost(mark_as_away);
 */
pl_handler pl_on_lost(pl_fn *fn);

/* Calls `fn` when a socket is back whose line broke.
 *
 *     pl_on_back(mark_as_here);
 */
pl_handler pl_on_back(pl_fn *fn);

/* Calls `fn` for events of clients that no other handler wants.
 *
 *     static void unknown(pl_event *event) { pl_reject("unknown", event->name); }
 *     pl_on_message(unknown);
 */
pl_handler pl_on_message(pl_fn *fn);

/* Calls `fn` after a turn that failed, in a turn of its own; event->data is {"event", "code", "message"}.
 *
 *     pl_on_error(count_it);
 */
pl_handler pl_on_error(pl_fn *fn);

/* Calls `fn` where an instance begins in a room that was there before, without the state that pl_on_resume takes;
 * event->data is {"reason"}: `crash`, `restart`, `wake` or `swap`.
 *
 *     static void restore(pl_event *event) { score = pl_int(pl_get("score")); }
 *     pl_on_restore(restore);
 */
pl_handler pl_on_restore(pl_fn *fn);

/* Calls `fn` after each step of `parlor simulate`, and never in a server: where something does not hold that must hold between any
 * two turns, it fails the turn. It should look and change nothing.
 *
 *     static void check(pl_event *event) { if (score < 0) pl_fail("score", "less than nothing"); }
 *     pl_on_check(check);
 */
pl_handler pl_on_check(pl_fn *fn);

/* Calls `fn` when the alarm is due; event->data is {"due", "attempt"}.
 *
 *     pl_on_alarm(close_the_poll);
 */
pl_handler pl_on_alarm(pl_fn *fn);

/* Calls `fn` when the timer of this name is due; event->data is what pl_timer was given.
 *
 *     pl_on_timer("tick", tick);
 */
pl_handler pl_on_timer(const char *name, pl_fn *fn);

/* Calls `fn` once for each ask of this name; event->data is {"outcome", "data"}, where the outcome is `answered`, `timeout` or
 * `gone`.
 *
 *     pl_on_ack("color", paint);
 */
pl_handler pl_on_ack(const char *name, pl_fn *fn);

/* Calls `fn` before the instance goes, for sleep or for a new version; event->data is {"reason"}. Its pl_answer is the state,
 * up to 256 KiB, which the next instance resumes under this schema. The last one registered counts.
 *
 *     static void suspend(pl_event *event) { pl_answer(event, pl_num(score)); }
 *     pl_on_suspend("score/1", suspend);
 */
void pl_on_suspend(const char *schema, pl_fn *fn);

/* Calls `fn` with a state of this schema as event->data, where an instance takes over. A state that nobody takes fails a swap with
 * the code `resume.schema`.
 *
 *     static void resume(pl_event *event) { score = pl_int(event->data); }
 *     pl_on_resume("score/1", resume);
 */
void pl_on_resume(const char *schema, pl_fn *fn);

/* Calls `fn` with a state that no pl_on_resume takes: event->schema is its schema, "" where it has none.
 *
 *     pl_on_resume_any(begin_anew);
 */
void pl_on_resume_any(pl_fn *fn);

/* ---- Answers and errors. ---- */

/* Answers a client that waits for an acknowledgement, once the turn has committed. The first answer of a turn counts; it is
 * copied.
 *
 *     pl_answer(event, pl_obj("seat", pl_num(3)));
 */
void pl_answer(pl_event *event, pl_json answer);

/* Fails the turn, and tells the sender: it gets the event `error` with this code and message. The first failure of a turn counts.
 * The handler goes on; return after it. Both texts are copied.
 *
 *     if (!*text) {
 *         pl_reject("chat.empty", "say something first");
 *         return;
 *     }
 */
void pl_reject(const char *code, const char *message);

/* Fails the turn, for the log: clients see nothing of it, and pl_on_error runs. Both texts are copied.
 *
 *     if (!found) {
 *         pl_fail("inventory.gone", pl_format("there is no item %d", item));
 *         return;
 *     }
 */
void pl_fail(const char *code, const char *message);

/* The code of the turn's failure so far, NULL where there is none: that of pl_reject and pl_fail, or `limit-exceeded`, `invalid`,
 * `no-such-socket`, `no-turn`, `refused`, `json`.
 *
 *     pl_put("huge", value);
 *     if (pl_failed()) pl_warn("it does not fit");
 */
const char *pl_failed(void);

/* Forgets the turn's failure so far. A turn past one of its own bounds cannot commit all the same.
 *
 *     pl_close(socket, 4000, "bye");
 *     pl_forgive();
 */
void pl_forgive(void);

/* Memory until the end of the call. There is always some: where the room's bound is reached, the instance ends.
 *
 *     struct move *moves = pl_alloc(count * sizeof *moves);
 */
void *pl_alloc(size_t size);

/* A text made as printf makes it.
 *
 *     pl_reject("seats.full", pl_format("all %d seats are taken", seats));
 */
const char *pl_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- The log. A turn keeps 64 lines of up to 1 KiB. ---- */

/* How much a line matters.
 *
 *     pl_log(PL_WARN, "nobody voted");
 */
typedef enum pl_level { PL_DEBUG, PL_INFO, PL_WARN, PL_ERROR } pl_level;

/* Writes a line to the plugin's log.
 *
 *     pl_log(PL_INFO, pl_format("%u sockets", pl_session_count()));
 */
void pl_log(pl_level level, const char *line);

/* pl_log at each level.
 *
 *     pl_info("the round begins");
 */
#define pl_debug(line) pl_log(PL_DEBUG, line)
#define pl_info(line) pl_log(PL_INFO, line)
#define pl_warn(line) pl_log(PL_WARN, line)
#define pl_error(line) pl_log(PL_ERROR, line)

/* ---- What a plugin can ask for anywhere. ---- */

/* Milliseconds since the Unix epoch; in a turn, the moment when the room accepted the event.
 *
 *     double ends = pl_now() + 60000;
 */
double pl_now(void);

/* What the operator configured under a key; NULL where that is nothing.
 *
 *     const char *motto = pl_config("motto");
 */
const char *pl_config(const char *key);

/* Fills memory with bytes that nobody can predict, up to 4,096.
 *
 *     uint32_t die;
 *     pl_random(&die, sizeof die);
 */
void pl_random(void *to, size_t len);

/* A random text of 32 hexadecimal digits.
 *
 *     const char *ticket = pl_random_id();
 */
const char *pl_random_id(void);

#include "parlor_room.h"
#include "parlor_state.h"

#endif

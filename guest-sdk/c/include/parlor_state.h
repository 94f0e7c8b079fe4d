/* What outlives the instance: storage, timers, the alarm, and the history of channels. Include parlor.h. */

#ifndef PARLOR_STATE_H
#define PARLOR_STATE_H

/* ---- Storage: the room's own keys and values. Writes commit with the turn, or not at all. ---- */

/* The JSON under a key; none where there is nothing. What is no JSON fails the turn with the code `json`.
 *
 *     long long count = pl_int(pl_get("count"));
 */
pl_json pl_get(const char *key);

/* Sets the value of a key: up to 128 KiB.
 *
 *     pl_put("count", pl_num(count + 1));
 */
void pl_put(const char *key, pl_json value);

/* Removes a key; answers whether it was there.
 *
 *     pl_delete("count");
 */
bool pl_delete(const char *key);

/* The bytes under a key, whatever they are; none where there is nothing.
 *
 *     pl_bytes picture = pl_get_bytes("picture");
 */
pl_bytes pl_get_bytes(const char *key);

/* Sets raw bytes as the value of a key.
 *
 *     pl_put_bytes("board", board, sizeof board);
 */
void pl_put_bytes(const char *key, const void *at, size_t len);

/* The values of up to 128 keys, in their order; none where there is nothing.
 *
 *     const char *keys[] = {"red", "blue"};
 *     const pl_json *scores = pl_get_many(keys, 2);
 */
const pl_json *pl_get_many(const char *const *keys, size_t count);

/* A key with its value. `raw` is there in what pl_list gives; pl_put_many writes `value`.
 *
 *     pl_entry entries[] = {{.key = "red", .value = pl_num(1)}, {.key = "blue", .value = pl_num(2)}};
 */
typedef struct pl_entry {
    const char *key;
    pl_json value;
    pl_bytes raw;
} pl_entry;

/* Sets up to 128 values, or none of them.
 *
 *     pl_put_many(entries, 2);
 */
void pl_put_many(const pl_entry *entries, size_t count);

/* Removes up to 128 keys; answers how many were there.
 *
 *     pl_delete_many(keys, 2);
 */
uint32_t pl_delete_many(const char *const *keys, size_t count);

/* A part of a listing. An entry's `value` is none where its bytes are no JSON. */
typedef struct pl_page {
    const pl_entry *entries;
    size_t count;
    /* Where the next part begins; NULL where this was the last. */
    const char *next;
} pl_page;

/* The entries whose keys begin with `prefix`, in their order, behind the key `after` where that is no NULL: up to `limit`, which is
 * 1 to 1,000. A page may hold fewer and still have a `next`.
 *
 *     pl_page page = {.next = NULL};
 *     do {
 *         page = pl_list_keys("score/", page.next, 100);
 *         for (size_t at = 0; at < page.count; at++) pl_info(page.entries[at].key);
 *     } while (page.next);
 */
pl_page pl_list_keys(const char *prefix, const char *after, uint32_t limit);

/* ---- Timers: in the server's memory. They outlive the instance, not the server. ---- */

/* Calls the handlers of pl_on_timer once in so many milliseconds. A timer of the same name is replaced; `data` may be none.
 *
 *     pl_timer("tick", 50, pl_null);
 */
void pl_timer(const char *name, uint32_t delay_ms, pl_json data);

/* Forgets a timer; answers whether it was set.
 *
 *     pl_timer_cancel("tick");
 */
bool pl_timer_cancel(const char *name);

/* ---- The alarm: one a room, as durable as storage. ---- */

/* Calls the handlers of pl_on_alarm at a time in milliseconds since the Unix epoch, even if nobody is in the room by then.
 *
 *     pl_alarm(pl_now() + 24 * 3600 * 1000.0);
 */
void pl_alarm(double at);

/* When the alarm is due; 0 where it is not set.
 *
 *     if (!pl_alarm_due()) pl_alarm(pl_now() + 60000);
 */
double pl_alarm_due(void);

/* Forgets the alarm.
 *
 *     pl_alarm_cancel();
 */
void pl_alarm_cancel(void);

/* ---- The history of channels: what was said to them lately. ---- */

/* Lets the host keep what is said to a channel, for clients that come back (`?since=`) and for pl_history: the last `entries`, 1 to
 * 1,000, that are at most `ttl_ms` old, in memory, or in the room's storage where it is durable. In PL_ROOM, for up to 16 channels.
 *
 *     pl_keep_history("news", 100, 3600 * 1000, false);
 */
void pl_keep_history(const char *channel, uint32_t entries, uint32_t ttl_ms, bool durable);

/* Something that was said to a channel. */
typedef struct pl_said {
    /* Where it stands: a text to keep and to give back, not to look into. */
    const char *position;
    const char *event;
    pl_json data;
    /* When it was said, in milliseconds since the Unix epoch. */
    double at;
} pl_said;

/* A part of a history. */
typedef struct pl_said_page {
    /* The oldest first. */
    const pl_said *entries;
    size_t count;
    /* Whether these and the following are all that was said behind the position that was given. */
    bool recovered;
} pl_said_page;

/* What was said to a channel behind a position, or from the oldest on where that is NULL: up to `limit` entries, 1 to 1,000. A page
 * may hold fewer and others follow: go on behind the last one until none come.
 *
 *     pl_said_page page = pl_history("news", pl_text(event->data), 100);
 *     for (size_t at = 0; at < page.count; at++) pl_emit(event, page.entries[at].event, page.entries[at].data);
 */
pl_said_page pl_history(const char *channel, const char *after, uint32_t limit);

/* The position of the last thing that was said to a channel.
 *
 *     pl_emit(event, "you-are-at", pl_str(pl_history_position("news")));
 */
const char *pl_history_position(const char *channel);

#endif

/* The contract's functions, as the canonical ABI lowers them. `parlor build` compares each import with wit/: one that does not fit
 * builds no component. */

#ifndef PARLOR_HOST_H
#define PARLOR_HOST_H

#include "internal.h"

#define HOST(interface, name) __attribute__((import_module("parlor:room/" interface "@0.1.0"), import_name(name)))

/* A list or a text. */
struct pl_span {
    const void *at;
    size_t len;
};

/* `refusal`. */
enum pl_refused { PL_LIMIT_EXCEEDED, PL_NO_SUCH_SOCKET, PL_NO_TURN, PL_INVALID, PL_OTHER };

/* `result<T, refusal>`, for all T whose alignment is 4 or less. */
typedef struct pl_result {
    uint8_t is_refused;
    union {
        struct {
            uint8_t why;
            struct pl_span words;
        } refusal;
        uint8_t flag;
        uint32_t number;
        struct pl_span span;
        struct {
            uint8_t is_some;
            struct pl_span span;
        } option;
        struct {
            struct pl_span entries;
            uint8_t has_next;
            struct pl_span next;
        } page;
        struct {
            struct pl_span entries;
            uint8_t recovered;
        } history;
        struct {
            struct pl_span user, client, channels, fields;
        } meta;
    } ok;
} pl_result;

/* `result<option<f64>, refusal>`. */
typedef struct pl_time_result {
    uint8_t is_refused;
    union {
        struct {
            uint8_t why;
            struct pl_span words;
        } refusal;
        struct {
            uint8_t is_some;
            double number;
        } option;
    } ok;
} pl_time_result;

/* An entry of a channel's history. */
struct pl_said_entry {
    struct pl_span position, event;
    uint8_t is_binary;
    struct pl_span data;
    double at;
};

/* `option<string>`. */
typedef struct pl_option {
    uint8_t is_some;
    struct pl_span span;
} pl_option;

/* Whether the host took a call; the turn fails where it did not. */
bool pl_took(const pl_result *result);

#define TEXT(name) const char *name, size_t name##_len
#define PAYLOAD bool is_binary, const char *data, size_t data_len

HOST("events", "on") void host_on(TEXT(event), pl_result *);
HOST("events", "off") void host_off(TEXT(event), pl_result *);

HOST("outbox", "to-socket") void host_to_socket(uint32_t socket, TEXT(event), PAYLOAD, pl_result *);
HOST("outbox", "to-named") void host_to_named(TEXT(target), TEXT(event), PAYLOAD, pl_result *);
HOST("outbox", "to-channel") void host_to_channel(TEXT(channel), TEXT(event), PAYLOAD, pl_result *);
HOST("outbox", "to-channel-except")
void host_to_channel_except(TEXT(channel), const pl_out *excluded, size_t count, TEXT(event), PAYLOAD, pl_result *);
HOST("outbox", "to-channel-some")
void host_to_channel_some(TEXT(channel), bool has_users, const pl_out *users, size_t users_count, bool has_clients,
                          const pl_out *clients, size_t clients_count, const pl_out *excluded, size_t excluded_count,
                          TEXT(event), PAYLOAD, pl_result *);
HOST("outbox", "to-room")
void host_to_room(TEXT(room), bool has_channel, TEXT(channel), bool has_users, const pl_out *users, size_t users_count,
                  bool has_clients, const pl_out *clients, size_t clients_count, TEXT(event), PAYLOAD, pl_result *);
HOST("outbox", "to-user") void host_to_user(TEXT(user), TEXT(event), PAYLOAD, pl_result *);
HOST("outbox", "to-clients")
void host_to_clients(const pl_out *clients, size_t count, TEXT(event), PAYLOAD, pl_result *);
HOST("outbox", "attach") void host_attach(const uint8_t *at, size_t len, pl_result *);
HOST("outbox", "spread") void host_spread(pl_result *);
HOST("outbox", "ask") void host_ask(uint32_t socket, TEXT(event), PAYLOAD, TEXT(name), uint32_t timeout_ms, pl_result *);

HOST("inbox", "arguments") uint32_t host_arguments(void);
HOST("inbox", "attachments") void host_attachments(struct pl_span *);

HOST("sockets", "get-meta") void host_get_meta(uint32_t socket, pl_result *);
HOST("sockets", "present") void host_present(bool has_user, TEXT(user), pl_result *);
HOST("sockets", "of-channel") void host_of_channel(TEXT(channel), bool has_after, uint32_t after, uint32_t limit, pl_result *);
HOST("sockets", "set-fields") void host_set_fields(uint32_t socket, TEXT(fields), pl_result *);
HOST("sockets", "join") void host_join(uint32_t socket, TEXT(channel), pl_result *);
HOST("sockets", "leave") void host_leave(uint32_t socket, TEXT(channel), pl_result *);
HOST("sockets", "close") void host_close(uint32_t socket, uint32_t code, TEXT(reason), pl_result *);

HOST("storage", "get") void host_get(TEXT(key), pl_result *);
HOST("storage", "get-many") void host_get_many(const pl_out *keys, size_t count, pl_result *);
HOST("storage", "put") void host_put(TEXT(key), TEXT(value), pl_result *);
HOST("storage", "put-many") void host_put_many(const pl_out *keys_and_values, size_t count, pl_result *);
HOST("storage", "delete") void host_delete(TEXT(key), pl_result *);
HOST("storage", "delete-many") void host_delete_many(const pl_out *keys, size_t count, pl_result *);
HOST("storage", "scan") void host_scan(TEXT(prefix), bool has_after, TEXT(after), uint32_t limit, pl_result *);

HOST("timers", "set") void host_timer_set(TEXT(name), uint32_t delay_ms, bool has_data, PAYLOAD, pl_result *);
HOST("timers", "cancel") void host_timer_cancel(TEXT(name), pl_result *);
HOST("alarm", "set") void host_alarm_set(double at, pl_result *);
HOST("alarm", "get") void host_alarm_get(pl_time_result *);
HOST("alarm", "cancel") void host_alarm_cancel(pl_result *);

HOST("history", "keep")
void host_history_keep(TEXT(channel), uint32_t entries, uint32_t ttl_ms, bool durable, pl_result *);
HOST("history", "read")
void host_history_read(TEXT(channel), bool has_after, TEXT(after), uint32_t limit, pl_result *);
HOST("history", "position") void host_history_position(TEXT(channel), pl_result *);

HOST("room", "id") void host_room_id(pl_result *);
HOST("room", "session-count") void host_session_count(pl_result *);
HOST("room", "user-ids") void host_user_ids(pl_result *);

HOST("clock", "now") double host_now(void);
HOST("random", "get-bytes") void host_random(uint32_t count, pl_result *);
HOST("config", "get") void host_config(TEXT(key), pl_option *);
HOST("logging", "write") void host_log(uint32_t level, TEXT(message));

#endif

/* What the SDK's own files share. Plugins include parlor.h alone. */

#ifndef PARLOR_INTERNAL_H
#define PARLOR_INTERNAL_H

#include "parlor.h"

/* Checks for what is undefined are for the author's code: here they would make each plugin half as large again. Each file of the
 * SDK ends with the `pop`. */
#pragma clang attribute push(__attribute__((no_sanitize("undefined"))), apply_to = function)

/* Where bytes stand in a JSON text: this letter, which JSON cannot have, then their place and length as they are in memory.
 * What leaves the plugin has a placeholder or base64 instead. */
#define PL_MARK '\x01'
#define PL_MARK_LEN (1 + sizeof(pl_bytes))

/* The letter NUL within a text, which ends with one: two bytes that UTF-8 never has. The host gets and gives the letter. */
#define PL_ZERO "\xC0\x80"

/* How deep JSON may be nested for us; the host's own bound is lower. */
#define PL_DEPTH_MAX 512

/* A text on its way to the host: valid UTF-8. */
typedef struct pl_out {
    const char *at;
    size_t len;
} pl_out;

/* A payload, as the contract has it. */
typedef struct pl_payload {
    bool is_binary;
    const char *at;
    size_t len;
} pl_payload;

/* memory.c */
char *pl_copy(const char *at, size_t len);
const char *pl_copied(const char *text);
void pl_free_all(void);
void *pl_grown(void *old, size_t old_size, size_t new_size);
pl_out pl_utf8(const char *at, size_t len);
pl_out pl_out_of(const char *text);
const char *pl_in(const char *at, size_t len);

/* json_read.c, json_write.c */
int pl_digit(char letter, int base);
pl_json pl_checked(const char *text, size_t len);
const char *pl_text_with_len(pl_json value, size_t *len);
char *pl_put_utf8(char *to, uint32_t code);
void pl_list_raw(pl_list *list, const char *at, size_t len);

/* bytes.c */
pl_bytes pl_marked(const char *mark);
pl_payload pl_sent(pl_json data);
pl_out pl_kept(pl_json value);
pl_json pl_of_payload(bool is_binary, const char *at, size_t len);

/* errors.c */
extern struct pl_problem {
    const char *code, *message;
    bool failed, for_sender;
} pl_problem;

/* outbox.c. The call is set with the first pl_spread, so that a plugin without one does not import it. */
extern struct pl_spreading {
    void (*call)(void);
    bool waits;
} pl_spreading;

/* registry.c */
typedef enum pl_table { PL_EVENTS, PL_TIMERS, PL_ACKS } pl_table;
pl_handler pl_add(pl_table table, const char *name, pl_fn *fn, void *own);
bool pl_start(void);
void pl_dispatch(pl_event *event);

/* presence.c. Set with the first pl_presence, so that a plugin without one imports nothing for it. */
struct pl_follower {
    /* Begins a turn. */
    void (*begin)(const pl_event *event);
    /* A channel will have other sockets; each may, where it is NULL. */
    void (*touch)(const char *channel);
    /* Tells of what has changed, at the end of a turn that went well so far. */
    void (*tell)(void);
    void (*end)(bool failed);
};
extern const struct pl_follower *pl_follower;

/* requests.c. Set with the plugin's own function, so that a plugin without one imports nothing for it. */
extern bool (*pl_authorizer)(const pl_request *request, pl_meta *meta);
extern struct pl_refusal {
    bool refused;
    int status;
    const char *message;
} pl_refusal;

#endif

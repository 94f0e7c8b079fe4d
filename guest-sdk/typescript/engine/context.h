/* A turn's event, and what handlers are given of it. */

#ifndef PARLOR_CONTEXT_H
#define PARLOR_CONTEXT_H

#include "engine.h"

/* The contract's `event`, as the host's memory has it until the turn ends. */
typedef struct event {
    struct pl_span cause, name, channel, data;
    bool has_channel, has_payload, is_binary, has_socket, answer_wanted;
    uint32_t socket;
} event;

/* Each is made when it is asked for. */
typedef enum part { PART_CAUSE, PART_NAME, PART_CHANNEL, PART_DATA, PART_EMIT, PART_ANSWER, PART_COUNT } part;

typedef struct context {
    event event;
    JSValue parts[PART_COUNT];
    /* Whether its turn has ended: what it would be answered with, nobody waits for. */
    bool is_over;
} context;

/* context.c */
context *context_of(JSValueConst value);
JSValue begin_context(const event *event);
void end_with_context(JSValue value);
JSValue event_name(context *its);
JSValue event_data(context *its);

/* `result<option<payload>, failure>` */
typedef struct handled {
    uint8_t is_err;
    union {
        struct {
            uint8_t is_some;
            uint32_t is_binary;
            pl_out data;
        } answer;
        struct {
            pl_out code, message;
            uint8_t for_sender;
        } failure;
    } is;
} handled;

/* guest.c */
void set_failure(handled *answer);
void set_answer(handled *answer, JSValueConst found);
void set_body(handled *answer, const pl_payload *payload);

/* turn.c */
void handle_event(const event *event, double accepted_at, handled *to);

#endif

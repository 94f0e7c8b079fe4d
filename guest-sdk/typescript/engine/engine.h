/* What the engine's own files share. The contract's functions are declared once for C, in guest-sdk/c. */

#ifndef PARLOR_ENGINE_H
#define PARLOR_ENGINE_H

#include "host.h"
#pragma clang attribute pop

#include "inside.h"

#define EXPORT(name) __attribute__((export_name(name)))

/* A text of JavaScript's on its way to the host, as UTF-8; `at` is NULL where an exception was thrown. */
typedef struct text {
    const char *at;
    size_t len;
} text;

/* A text as two arguments, and a payload as three. */
#define OF(text) (text).at, (text).len
#define SENT(payload) (payload).is_binary, (payload).at, (payload).len

/* engine.c */
extern JSContext *js;
text text_of(JSValueConst value);
void free_text(text one);
JSValue string_of(struct pl_span span);
void said_as(JSValueConst thrown);
void add_members(JSValueConst object, const JSCFunctionListEntry *members, int count);

/* hooks.c */
typedef enum hook {
    HOOK_AUTHORIZE,
    HOOK_BEGIN,
    HOOK_END_TURN,
    HOOK_REFUSAL,
    HOOK_NEED_TEXT,
    HOOK_NEED_HOST,
    HOOK_NO_SOCKET,
    HOOK_NO_HANDLER,
    HOOK_UNREGISTERED,
    HOOK_TOO_LATE,
    HOOK_SETTLED,
    HOOK_NEVER_SETTLED,
    HOOK_RUN_TIMEOUT,
    HOOK_MESSAGE,
    HOOK_FILLED,
    HOOK_SAY_CHANNELS,
    HOOK_GET,
    HOOK_PUT,
    HOOK_COUNT,
} hook;
JSValue call_hook(hook which, int count, JSValueConst *arguments);
JSValue call_hook_of(hook which, JSValueConst this, int count, JSValueConst *arguments);
JSValue or_refusal(JSValue answer);
extern const JSCFunctionListEntry hook_functions[];
extern const int hook_function_count;

/* handlers.c */
typedef enum table { TABLE_EVENTS, TABLE_TIMERS, TABLE_ACKS, TABLE_COUNT } table;
JSValueConst handlers_of(table what, struct pl_span name);
bool begin_events(JSValue *words);
extern const JSCFunctionListEntry handler_functions[];
extern const int handler_function_count;

/* context.c */
void begin_contexts(JSRuntime *runtime);
extern const JSCFunctionListEntry context_functions[];
extern const int context_function_count;

/* targets.c */
void begin_targets(JSRuntime *runtime);
JSValue socket_target(bool has_socket, uint32_t socket);
void retarget(JSValueConst value, bool has_socket, uint32_t socket);
/* Whether nobody else has the one that `socket_target` made, and it is as it was made. */
bool is_spare_target(JSValueConst value);
extern const JSCFunctionListEntry target_functions[];
extern const int target_function_count;

/* turn.c */
void begin_turns(JSRuntime *runtime);
extern const JSCFunctionListEntry turn_functions[];
extern const int turn_function_count;

/* guest.c */
bool has_host(void);
extern const JSCFunctionListEntry guest_functions[];
extern const int guest_function_count;

/* memory.c */
void free_given(void);
void hold_given(void);
void let_go(void);
void *needed(void *memory);
extern const JSMallocFunctions script_memory;
void memory_is_kept(void);

/* jobs.c */
void begin_jobs(JSRuntime *runtime);
JSValue run_jobs(void);
JSValue result_of(JSValueConst promise);
bool are_jobs_done(void);
extern const JSCFunctionListEntry job_functions[];
extern const int job_function_count;

/* answers.c */
JSValue answered(const pl_result *result, JSValue (*convert)(const pl_result *result));
JSValue as_nothing(const pl_result *result);
JSValue as_number(const pl_result *result);
JSValue as_flag(const pl_result *result);
JSValue as_string(const pl_result *result);
JSValue as_strings(const pl_result *result);
JSValue as_numbers(const pl_result *result);
JSValue as_bytes(const pl_result *result);
JSValue bytes_of(struct pl_span span);
JSValue refused(uint8_t why, struct pl_span words);

/* emits.c, storage.c, state.c: the contract's functions */
extern const JSCFunctionListEntry emit_functions[], storage_functions[], state_functions[];
extern const int emit_function_count, storage_function_count, state_function_count;

/* stored.c */
extern const JSCFunctionListEntry stored_functions[];
extern const int stored_function_count;

/* history.c */
extern const JSCFunctionListEntry history_functions[];
extern const int history_function_count;

/* lists.c */
typedef struct texts {
    text *texts;
    pl_out *outs;
    size_t count;
} texts;
bool count_of(JSValueConst array, int64_t *count);
bool texts_of(JSValueConst array, texts *list);
bool some_texts_of(JSValueConst array_or_null, texts *list);
void free_texts(texts *list);
bool payload_of(JSValueConst value, pl_payload *payload, text *held);

/* lines.c */
extern const JSCFunctionListEntry line_functions[];
extern const int line_function_count;

/* names.c */
extern const JSCFunctionListEntry name_functions[];
extern const int name_function_count;

/* utf8.c */
bool is_utf8(const char *text, size_t len);
extern const JSCFunctionListEntry text_functions[];
extern const int text_function_count;

#endif

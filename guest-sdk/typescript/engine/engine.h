/* What the engine's own files share. The contract's functions are declared once for C, in guest-sdk/c. */

#ifndef PARLOR_ENGINE_H
#define PARLOR_ENGINE_H

#include "host.h"
#pragma clang attribute pop

#include "quickjs.h"

#define EXPORT(name) __attribute__((export_name(name)))

/* A text of JavaScript's on its way to the host, as UTF-8; `at` is NULL where an exception was thrown. */
typedef struct text {
    const char *at;
    size_t len;
} text;

/* A text as two arguments. */
#define OF(text) (text).at, (text).len

/* engine.c */
extern JSContext *js;
text text_of(JSValueConst value);
void free_text(text one);
JSValue string_of(struct pl_span span);
void said_as(JSValueConst thrown);

/* guest.c */
void begin_guest(JSValueConst names);

/* memory.c */
void free_given(void);
void *needed(void *memory);

/* jobs.c */
void begin_jobs(JSRuntime *runtime);
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

/* utf8.c */
extern const JSCFunctionListEntry text_functions[];
extern const int text_function_count;

#endif

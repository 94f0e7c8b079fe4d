/* What the glue has of quickjs-ng beyond its C interface. The files of this folder are compiled behind quickjs.c, since they go by
 * its structures. */

#ifndef PARLOR_INSIDE_H
#define PARLOR_INSIDE_H

#include "quickjs.h"

/* A text that grows. Its memory stays for the next one, but for what `inside_done` frees: that of most is at hand. */
typedef struct growing {
    char *at;
    size_t len, room;
    char first[1024];
} growing;

/* What halves of surrogate pairs become, which are no letters: U+FFFD, or the escapes that JSON has for them. */
typedef enum halves { HALVES_REPLACED, HALVES_ESCAPED } halves;

/* json_read.c, json_write.c */

/* The value of a JSON text in UTF-8, with a NUL behind it. `names_bytes` says whether it may have placeholders of attachments. */
JSValue inside_parse(JSContext *ctx, const char *text, size_t len, bool *names_bytes);
/* Adds a value as JSON. False where only `JSON.stringify` can tell what it is, since it runs code of the author's: nothing
 * was run then. */
bool inside_write(JSContext *ctx, growing *to, JSValueConst value, halves halves);
/* Makes room for so many bytes more. */
bool inside_grow(growing *to, size_t more);
/* Empties it when its text was handed over. What few texts need is freed. */
void inside_done(growing *of);

/* objects.c */

/* A promise that has this value, which is no thenable; takes it. */
JSValue inside_fulfilled(JSContext *ctx, JSValue value);
/* Keeps what there is for ever: all of it, or the program and not its data. */
void inside_keep(JSContext *ctx, bool is_data_kept);
/* From here on new objects lie in memory of their own, and not between those that there are. */
void inside_set_apart(JSContext *ctx);
/* Forgets the shapes that objects had up to now. */
void inside_forget_shapes(JSContext *ctx);
/* Whether an object is referred to by the caller alone, has no properties of its own, and the prototype that it was made with. */
bool inside_is_unshared(JSValueConst object, JSValueConst prototype);

#endif

/*
 * Where an error came from: the build leaves a table of the bundle's places beside the bundle, in the order of the places, so that
 * a stack is told in the author's files and lines without a turn's time being spent on it.
 */

#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Something from another line of the author's begins here; a file that is none is the SDK's. `build/lines.mjs` writes it. */
typedef struct place {
    uint32_t line, column;
    int32_t file;
    uint32_t original;
} place;

static const place *places;
static uint32_t place_count;
/* Each ends with a NUL. */
static const char *files;

#define FRAMES 8

/* Memory for the table: how many places, the places, and the names of the files. */
EXPORT("parlor_lines") uint32_t *parlor_lines(size_t size, uint32_t count) {
    uint32_t *table = needed(malloc(size));
    places = (const place *)table;
    place_count = count;
    files = (const char *)(places + count);
    return table;
}

static const char *file_name(int32_t file) {
    const char *name = files;
    while (file--) name += strlen(name) + 1;
    return name;
}

/* The last place that is not behind this one; none where that is not the author's. */
static const place *find(uint32_t line, uint32_t column) {
    uint32_t from = 0, to = place_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        const place *at = &places[middle];
        if (at->line < line || (at->line == line && at->column <= column)) from = middle + 1;
        else to = middle;
    }
    const place *found = from ? &places[from - 1] : NULL;
    return found && found->line == line && found->file >= 0 ? found : NULL;
}

/* One line of a stack, `    at NAME (FILE:LINE:COLUMN)`, in the author's places. */
static JSValue frame(const char *from, const char *end) {
    static const char begin[] = "    at ";
    size_t len = (size_t)(end - from);
    if (len < sizeof begin || memcmp(from, begin, sizeof begin - 1) != 0) return JS_UNDEFINED;
    from += sizeof begin - 1;
    const char *open = end;
    while (open > from && open[-1] != '(') open--;
    const char *name_end = open > from + 1 ? open - 2 : from;
    uint32_t numbers[2] = {0};
    const char *at = end;
    for (int which = 1; which >= 0; which--) {
        uint32_t unit = 1;
        while (at > from && (at[-1] < '0' || at[-1] > '9')) at--;
        for (; at > from && at[-1] >= '0' && at[-1] <= '9'; at--, unit *= 10) numbers[which] += unit * (uint32_t)(at[-1] - '0');
    }
    const place *found = numbers[0] && numbers[1] ? find(numbers[0] - 1, numbers[1] - 1) : NULL;
    if (!found) return JS_UNDEFINED;
    int name_len = (int)(name_end - from);
    bool is_named = name_len > 0 && !(name_len == 11 && memcmp(from, "<anonymous>", 11) == 0);
    char line[16];
    snprintf(line, sizeof line, ":%u%s", found->original + 1, is_named ? ")" : "");
    const char *file = file_name(found->file);
    size_t size = (size_t)name_len + strlen(file) + sizeof line + 4;
    char *words = needed(malloc(size));
    snprintf(words, size, "%.*s%s%s%s", is_named ? name_len : 0, from, is_named ? " (" : "", file, line);
    JSValue text = JS_NewString(js, words);
    free(words);
    return text;
}

/* The first frames of a stack that are the author's. */
static JSValue frames(JSContext *, JSValueConst, int, JSValueConst *argv) {
    text stack = text_of(argv[0]);
    if (!stack.at) return JS_EXCEPTION;
    JSValue list = JS_NewArray(js);
    uint32_t count = 0;
    const char *end = stack.at + stack.len;
    for (const char *from = stack.at; from < end && count < FRAMES;) {
        const char *next = memchr(from, '\n', (size_t)(end - from));
        JSValue one = frame(from, next ? next : end);
        if (!JS_IsUndefined(one)) JS_SetPropertyUint32(js, list, count++, one);
        from = next ? next + 1 : end;
    }
    free_text(stack);
    return list;
}

const JSCFunctionListEntry line_functions[] = {JS_CFUNC_DEF("frames", 1, frames)};
const int line_function_count = sizeof line_functions / sizeof *line_functions;

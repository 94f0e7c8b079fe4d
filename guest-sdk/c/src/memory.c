/* Memory of one call: what the host passes, and what is made meanwhile, lies in blocks that are free again when the host has read
 * the answer. Texts on their way to the host are made valid here. */

#include "internal.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK 8192
#define ALIGNMENT 8

typedef struct pl_block {
    struct pl_block *next;
    size_t size;
    alignas(ALIGNMENT) char memory[];
} pl_block;

static alignas(ALIGNMENT) char first[FIRST_BLOCK];
static char *block = first;
static size_t used, size = FIRST_BLOCK;
/* Blocks beside the first: the newest is the one in use. */
static pl_block *blocks;

/* Its name tells why: the room's bound is reached. */
static _Noreturn __attribute__((noinline)) void pl_out_of_memory(void) {
    __builtin_trap();
}

void *pl_alloc(size_t wanted) {
    /* Rounded, the largest sizes would be small ones. */
    if (wanted > PTRDIFF_MAX) pl_out_of_memory();
    wanted = (wanted + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (wanted > size - used) {
        size_t next = size * 2 > wanted ? size * 2 : wanted;
        pl_block *more = malloc(sizeof(pl_block) + next);
        if (!more) pl_out_of_memory();
        *more = (pl_block){blocks, next};
        blocks = more;
        block = more->memory;
        size = next;
        used = 0;
    }
    void *memory = block + used;
    used += wanted;
    return memory;
}

void pl_free_all(void) {
    while (blocks) {
        pl_block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
    block = first;
    size = FIRST_BLOCK;
    used = 0;
}

/* A block that holds what the old one held. The last one that was made grows in its place. */
void *pl_grown(void *old, size_t old_size, size_t new_size) {
    size_t rounded = (old_size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (old_size && (char *)old + rounded == block + used && new_size - rounded <= size - used) {
        pl_alloc(new_size - rounded);
        return old;
    }
    void *memory = pl_alloc(new_size);
    if (old_size) memcpy(memory, old, old_size);
    return memory;
}

char *pl_copy(const char *at, size_t len) {
    char *copy = pl_alloc(len < SIZE_MAX ? len + 1 : len);
    if (len) memcpy(copy, at, len);
    copy[len] = 0;
    return copy;
}

const char *pl_copied(const char *text) {
    return text ? pl_copy(text, strlen(text)) : "";
}

const char *pl_format(const char *format, ...) {
    va_list given, again;
    va_start(given, format);
    va_copy(again, given);
    int len = vsnprintf(NULL, 0, format, given);
    char *text = pl_alloc(len < 0 ? 1 : (size_t)len + 1);
    text[0] = 0;
    if (len > 0) vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(given);
    return text;
}

/* How many bytes the letter at `at` has; 0 where it is no UTF-8. */
static size_t letter_len(const unsigned char *at, size_t left) {
    if (at[0] < 0x80) return 1;
    size_t len = at[0] >= 0xC2 && at[0] < 0xE0 ? 2 : (at[0] & 0xF0) == 0xE0 ? 3 : at[0] >= 0xF0 && at[0] < 0xF5 ? 4 : 0;
    if (len == 0 || len > left) return 0;
    for (size_t place = 1; place < len; place++)
        if ((at[place] & 0xC0) != 0x80) return 0;
    /* Longer than it must be, half of a pair, or past the last letter. */
    if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F)) return 0;
    if ((at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F)) return 0;
    return len;
}

pl_out pl_utf8(const char *at, size_t len) {
    const unsigned char *from = (const unsigned char *)at;
    size_t place = 0, wrong = 0;
    while (place < len) {
        size_t letter = letter_len(from + place, len - place);
        wrong += letter == 0;
        place += letter ? letter : 1;
    }
    if (!wrong) return (pl_out){at, len};
    char *text = pl_alloc(len + wrong * 2), *to = text;
    for (place = 0; place < len;) {
        size_t letter = letter_len(from + place, len - place);
        bool is_zero = !letter && len - place > 1 && memcmp(at + place, PL_ZERO, 2) == 0;
        if (letter) memcpy(to, at + place, letter);
        else if (is_zero) *to = 0;
        to = letter ? to + letter : is_zero ? to + 1 : pl_put_utf8(to, 0xFFFD);
        place += letter ? letter : is_zero ? 2 : 1;
    }
    return (pl_out){text, (size_t)(to - text)};
}

/* A text of the host, which has a NUL behind it. */
const char *pl_in(const char *at, size_t len) {
    if (!len) return "";
    if (!memchr(at, 0, len)) return at;
    char *text = pl_alloc(len * 2 + 1), *to = text;
    for (size_t place = 0; place < len; place++) {
        if (at[place]) *to++ = at[place];
        else to = pl_put_utf8(to, 0);
    }
    *to = 0;
    return text;
}

pl_out pl_out_of(const char *text) {
    return text ? pl_utf8(text, strlen(text)) : (pl_out){"", 0};
}

#pragma clang attribute pop

/* Memory of what the host hands over: a block that is free again when the value is JavaScript's, or the turn has ended. */

#include "engine.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 8192
#define ALIGNMENT 8

/* What does not fit into the block. */
typedef struct large {
    struct large *next;
    alignas(ALIGNMENT) char memory[];
} large;

static alignas(ALIGNMENT) char block[BLOCK];
static size_t used;
static large *larges;

/* What of these stays until the turn ends: its event. */
static size_t held_used;
static large *held_larges;

/* Its name tells why: the room's bound is reached. */
static _Noreturn __attribute__((noinline)) void out_of_memory(void) {
    __builtin_trap();
}

void *needed(void *memory) {
    if (!memory) out_of_memory();
    return memory;
}

/* Texts get a NUL behind them, which the engine's reader of JSON wants. */
EXPORT("cabi_realloc") void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t size) {
    if (size > PTRDIFF_MAX) out_of_memory();
    size_t rounded = (size + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    char *memory;
    (void)alignment;
    if (rounded <= BLOCK - used) {
        memory = block + used;
        used += rounded;
    } else {
        large *more = needed(malloc(sizeof(large) + rounded));
        more->next = larges;
        larges = more;
        memory = more->memory;
    }
    if (old_size) memcpy(memory, old, old_size < size ? old_size : size);
    memory[size] = 0;
    return memory;
}

void free_given(void) {
    used = held_used;
    while (larges != held_larges) {
        large *next = larges->next;
        free(larges);
        larges = next;
    }
}

/* Keeps what was given until `let_go`. */
void hold_given(void) {
    held_used = used;
    held_larges = larges;
}

void let_go(void) {
    held_used = 0;
    held_larges = NULL;
    free_given();
}

/* Of what is kept of the memory, zeros cost nothing: while a bundle is evaluated, what is free again is that. */
static bool is_kept;

static void *take(void *, size_t size) {
    return malloc(size);
}

static void *take_zeros(void *, size_t count, size_t size) {
    return calloc(count, size);
}

static void give_back(void *, void *memory) {
    if (memory && !is_kept) explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

static void *take_more(void *, void *old, size_t size) {
    if (is_kept || !old) return realloc(old, size);
    size_t room = malloc_usable_size(old);
    void *memory = malloc(size);
    if (!memory) return NULL;
    memcpy(memory, old, room < size ? room : size);
    give_back(NULL, old);
    return memory;
}

const JSMallocFunctions script_memory = {take_zeros, take, give_back, take_more, (size_t (*)(const void *))malloc_usable_size};

void memory_is_kept(void) {
    is_kept = true;
}

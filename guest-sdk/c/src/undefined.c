/* What is undefined in C ends the call where it happens: the compiler checks, and calls these with the place in the source code. */

#include "internal.h"

#include <string.h>

/* Where the checked code stands: the compiler's own `SourceLocation`, which begins what it passes. */
typedef struct pl_place {
    const char *file;
    uint32_t line, column;
} pl_place;

static _Noreturn __attribute__((noinline)) void pl_undefined(const pl_place *place, const char *what) {
    pl_list line = {0};
    pl_json number = pl_num(place->line);
    pl_list_raw(&line, place->file, strlen(place->file));
    pl_list_raw(&line, ":", 1);
    pl_list_raw(&line, number.text, number.len);
    pl_list_raw(&line, ": ", 2);
    pl_list_raw(&line, what, strlen(what) + 1);
    pl_log(PL_ERROR, line.text);
    __builtin_trap();
}

/* What a check of a pointer passes: a description of its type, and which access it was. */
typedef struct pl_pointer_check {
    pl_place place;
    const void *type;
    uint8_t log_alignment, kind;
} pl_pointer_check;

_Noreturn void __ubsan_handle_type_mismatch_v1_abort(const pl_pointer_check *check, uintptr_t pointer) {
    bool is_aligned = (pointer & (((uintptr_t)1 << check->log_alignment) - 1)) == 0;
    pl_undefined(&check->place, !pointer     ? "an access through NULL"
                                : is_aligned ? "an access to an object that is too small"
                                             : "an access to an address that is not aligned");
}

#define UNDEFINED(check, what) \
    _Noreturn void __ubsan_handle_##check(const pl_place *place, uintptr_t, uintptr_t) { pl_undefined(place, what); }

UNDEFINED(add_overflow_abort, "a sum that is too large for its type")
UNDEFINED(sub_overflow_abort, "a difference that is too large for its type")
UNDEFINED(mul_overflow_abort, "a product that is too large for its type")
UNDEFINED(divrem_overflow_abort, "a division by zero, or one that overflows")
UNDEFINED(shift_out_of_bounds_abort, "a shift by more bits than the type has")
UNDEFINED(pointer_overflow_abort, "a pointer past the end of memory, or made of NULL")

#define UNDEFINED_1(check, what) \
    _Noreturn void __ubsan_handle_##check(const pl_place *place, uintptr_t) { pl_undefined(place, what); }

UNDEFINED_1(out_of_bounds_abort, "an index past the array's end")
UNDEFINED_1(negate_overflow_abort, "a negation that is too large for its type")
UNDEFINED_1(vla_bound_not_positive_abort, "an array with no room for anything")
UNDEFINED_1(float_cast_overflow_abort, "a number that is too large for its integer type")
UNDEFINED_1(load_invalid_value_abort, "a value that its type does not have")
UNDEFINED_1(function_type_mismatch_abort, "a call through a pointer to another type of function")

#define UNDEFINED_0(check, what) \
    _Noreturn void __ubsan_handle_##check(const pl_place *place) { pl_undefined(place, what); }

UNDEFINED_0(builtin_unreachable, "code that must not be reached")
UNDEFINED_0(missing_return, "the end of a function that must return a value")
UNDEFINED_0(nonnull_arg_abort, "NULL for an argument that must not be NULL")
UNDEFINED_0(nonnull_return_v1_abort, "NULL for a result that must not be NULL")
UNDEFINED_0(invalid_builtin_abort, "an argument that is undefined here")

#pragma clang attribute pop

/* What the C library asks of a system: there is none, so that a component of this imports nothing but the contract. */

#include "engine.h"

#include <string.h>

#define WASI(name) __imported_wasi_snapshot_preview1_##name

/* The contract's clock; the build of a plugin has another. */
int32_t WASI(clock_time_get)(int32_t id, int64_t precision, int32_t out) {
    (void)id;
    (void)precision;
    *(uint64_t *)out = (uint64_t)(host_now() * 1e6);
    return 0;
}

int32_t WASI(clock_res_get)(int32_t id, int32_t out) {
    (void)id;
    *(uint64_t *)out = 1000000;
    return 0;
}

int32_t WASI(environ_sizes_get)(int32_t count, int32_t size) {
    *(uint32_t *)count = *(uint32_t *)size = 0;
    return 0;
}

/* `EBADF`: there are no files. */
#define NO_FILE 8
int32_t WASI(fd_write)(int32_t, int32_t, int32_t, int32_t written) {
    *(uint32_t *)written = 0;
    return NO_FILE;
}
int32_t WASI(fd_read)(int32_t, int32_t, int32_t, int32_t) { return NO_FILE; }
int32_t WASI(fd_close)(int32_t) { return NO_FILE; }
int32_t WASI(fd_seek)(int32_t, int64_t, int32_t, int32_t) { return NO_FILE; }
int32_t WASI(fd_fdstat_get)(int32_t, int32_t) { return NO_FILE; }
int32_t WASI(fd_fdstat_set_flags)(int32_t, int32_t) { return NO_FILE; }
int32_t WASI(fd_prestat_get)(int32_t, int32_t) { return NO_FILE; }
int32_t WASI(fd_prestat_dir_name)(int32_t, int32_t, int32_t) { return NO_FILE; }
int32_t WASI(environ_get)(int32_t, int32_t) { return 0; }
int32_t WASI(sched_yield)(void) { return 0; }

_Noreturn void WASI(proc_exit)(int32_t status) {
    (void)status;
    __builtin_trap();
}

/* Zig's library has another name for this one. */
uint16_t zig_fd_close(int32_t file) __asm__("fd_close|wasi_snapshot_preview1");
uint16_t zig_fd_close(int32_t file) {
    (void)file;
    return NO_FILE;
}

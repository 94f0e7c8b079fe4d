/* Tests of a plugin, without a server: `parlor room` runs it, with time that passes when a test says so. A test is a program of
 * this machine, not part of the plugin. docs/authors/harness.md lists all steps.
 *
 *     #include "parlor_test.h"
 *
 *     int main(int count, char **arguments) {
 *         PL_TEST_ROOM(count > 1 ? arguments[1] : "dist/counter.wasm");
 *         PL_STEP({"connect": {"as": "ada", "path": "/counter"}});
 *         PL_STEP({"send": {"from": "ada", "frame": {"type": "add"}}});
 *         PL_STEP({"expect": {"ada": [{"type": "count", "data": 1}]}});
 *         return PL_TEST_DONE();
 *     }
 */

#ifndef PARLOR_TEST_H
#define PARLOR_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts a room of a component. The program is `parlor` in PATH, or what the variable PARLOR names.
 *
 *     PL_TEST_ROOM("dist/counter.wasm");
 */
#define PL_TEST_ROOM(component) pl_test_room(component)

/* Does a step, which is written as JSON. Where it has an error, the test ends with it.
 *
 *     PL_STEP({"advance": 1000});
 */
#define PL_STEP(...) pl_test_step(__FILE__, __LINE__, #__VA_ARGS__)

/* Begins a test: an empty room, with a name for whoever reads the test's output.
 *
 *     PL_TEST("a count outlives a restart");
 */
#define PL_TEST(name) pl_test_begin(__FILE__, __LINE__, name)

/* Ends the room; the program's own status.
 *
 *     return PL_TEST_DONE();
 */
#define PL_TEST_DONE() pl_test_done()

static FILE *pl_test_to, *pl_test_from;
static pid_t pl_test_process;
static int pl_test_count;

__attribute__((unused)) static void pl_test_room(const char *component) {
    const char *program = getenv("PARLOR") ? getenv("PARLOR") : "parlor";
    int to[2], from[2];
    if (pipe(to) || pipe(from) || (pl_test_process = fork()) < 0) {
        perror("cannot start parlor");
        exit(2);
    }
    if (pl_test_process == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execlp(program, program, "room", component, "--stdio", (char *)NULL);
        fprintf(stderr, "parlor is missing: put it into PATH, or its place into the variable PARLOR\n");
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    pl_test_to = fdopen(to[1], "w");
    pl_test_from = fdopen(from[0], "r");
}

__attribute__((unused)) static int pl_test_done(void) {
    int status = 1;
    fclose(pl_test_to);
    waitpid(pl_test_process, &status, 0);
    printf("%d passed\n", pl_test_count);
    return status == 0 ? 0 : 1;
}

/* The answer of the step: its text, until the next one. */
__attribute__((unused)) static const char *pl_test_step(const char *file, int line, const char *step) {
    static char *answer;
    static size_t size;
    fprintf(pl_test_to, "%s\n", step);
    fflush(pl_test_to);
    ssize_t len = getline(&answer, &size, pl_test_from);
    const char *error = len > 0 ? strstr(answer, ",\"error\":") : "parlor ended\n";
    /* A step that went well has `ok` in its place, whatever stands in what it answers. */
    const char *ok = len > 0 ? strstr(answer, ",\"ok\":") : NULL;
    if (error && !(ok && ok < error)) {
        fprintf(stderr, "%s:%d: %s\n  %s", file, line, step, len > 0 ? answer : error);
        exit(1);
    }
    return answer;
}

__attribute__((unused)) static void pl_test_begin(const char *file, int line, const char *name) {
    printf("test %d: %s\n", ++pl_test_count, name);
    fflush(stdout);
    pl_test_step(file, line, "{\"open\": {}}");
}

#endif

/* What a user of the room can rely on, tested without a server. */

#include "parlor_test.h"

/* A room with Ada and Bob in it. */
static void ada_and_bob(void) {
    PL_STEP({"connect": {"as": "ada", "meta": {"user": "ada"}}});
    PL_STEP({"connect": {"as": "bob", "meta": {"user": "bob"}}});
    PL_STEP("frames");
}

int main(int count, char **arguments) {
    PL_TEST_ROOM(count > 1 ? arguments[1] : "dist/{{name}}.wasm");

    PL_TEST("everybody hears what is said");
    ada_and_bob();
    PL_STEP({"send": {"from": "ada", "frame": {"type": "say", "data": {"text": "hello"}}}});
    PL_STEP({"expect": {"ada": [{"type": "said", "number": 1, "from": "ada", "text": "hello"}],
                        "bob": [{"type": "said", "number": 1, "from": "ada", "text": "hello"}]}});

    PL_TEST("what is refused leaves no trace");
    ada_and_bob();
    PL_STEP({"send": {"from": "ada", "frame": {"type": "say", "data": {"text": " "}}}});
    PL_STEP({"expect": {"ada": [{"type": "error", "code": "say.empty", "message": "say something"}]}});
    PL_STEP({"stored": {}});

    PL_TEST("the count outlives a restart of the server");
    ada_and_bob();
    PL_STEP({"send": {"from": "ada", "frame": {"type": "say", "data": {"text": "hello"}}}});
    PL_STEP("restart");
    PL_STEP({"connect": {"as": "cat", "meta": {"user": "cat"}}});
    PL_STEP({"expect": {"cat": [{"type": "welcome", "userId": "cat", "motd": "", "said": 1}]}});

    return PL_TEST_DONE();
}

/* What a user of the counter can rely on. */

#include "parlor_test.h"

int main(int count, char **arguments) {
    PL_TEST_ROOM(count > 1 ? arguments[1] : "dist/counter.wasm");

    PL_TEST("everybody sees the number, who comes later as well");
    PL_STEP({"connect": {"as": "ada", "path": "/counter"}});
    PL_STEP({"send": {"from": "ada", "frame": {"type": "add"}}});
    PL_STEP({"send": {"from": "ada", "frame": {"type": "add"}}});
    PL_STEP({"connect": {"as": "bob", "path": "/counter"}});
    PL_STEP({"expect": {"ada": [{"type": "count", "data": 0}, {"type": "count", "data": 1}, {"type": "count", "data": 2}],
                        "bob": [{"type": "count", "data": 2}]}});

    PL_TEST("the number outlives the server");
    PL_STEP({"connect": {"as": "ada", "path": "/counter"}});
    PL_STEP({"send": {"from": "ada", "frame": {"type": "add"}}});
    PL_STEP("restart");
    PL_STEP({"connect": {"as": "cat", "path": "/counter"}});
    PL_STEP({"expect": {"cat": [{"type": "count", "data": 1}]}});
    PL_STEP({"stored": {"count": 1}});

    return PL_TEST_DONE();
}

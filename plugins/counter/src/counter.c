/* One number that everybody sees, and anybody can add to. */

#include "parlor.h"

static void show(pl_event *event) {
    pl_json count = pl_get("count");
    pl_emit(event, "count", count.text ? count : pl_num(0));
}

static void add(pl_event *event) {
    long long count = pl_int(pl_get("count")) + 1;
    pl_put("count", pl_num(count));
    pl_emit_all("count", pl_num(count));
}

PL_ROOM("counter", "/counter") {
    pl_on_connect(show);
    pl_on("add", add);
}

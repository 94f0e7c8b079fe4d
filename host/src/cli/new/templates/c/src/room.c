/* A room in which everybody hears what anybody says, with a number that counts on. */

#include "parlor.h"

#include <string.h>

static void welcome(pl_event *event) {
    const char *motd = pl_config("motd");
    pl_emit(event, "welcome", pl_obj("userId", pl_str(pl_meta_of(event->socket).user_id), "motd", pl_str(motd ? motd : ""),
                                     "said", pl_num(pl_int(pl_get("count")))));
}

/* A handler is one turn: where it fails, what it stored and emitted until then never happened. */
static void say(pl_event *event) {
    const char *text = pl_text(pl_at(event->data, "text"));
    long long number = pl_int(pl_get("count")) + 1;
    pl_put("count", pl_num(number));
    if (text[strspn(text, " \t\n")] == 0) {
        pl_reject("say.empty", "say something");
        return;
    }
    pl_emit_all("said", pl_obj("number", pl_num(number), "from", pl_str(pl_meta_of(event->socket).user_id), "text",
                               pl_str(text)));
}

static void bye(pl_event *event) {
    pl_emit_all("left", pl_obj("userId", pl_str(pl_meta_of(event->socket).user_id), "left", pl_num(pl_session_count())));
}

PL_ROOM("{{name}}", "/{{name}}") {
    pl_on_connect(welcome);
    pl_on("say", say);
    pl_on_disconnect(bye);
}

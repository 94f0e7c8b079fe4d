/* The SDK's own functions that the engine calls where its quick ways end: they have the words, and what is rare. */

#include "engine.h"

static const char *const names[HOOK_COUNT] = {
    [HOOK_AUTHORIZE] = "authorize",
    [HOOK_BEGIN] = "begin",
    [HOOK_END_TURN] = "endTurn",
    [HOOK_REFUSAL] = "refusal",
    [HOOK_NEED_TEXT] = "needText",
    [HOOK_NEED_HOST] = "needHost",
    [HOOK_NO_SOCKET] = "noSocket",
    [HOOK_NO_HANDLER] = "noHandler",
    [HOOK_UNREGISTERED] = "unregistered",
    [HOOK_TOO_LATE] = "tooLate",
    [HOOK_SETTLED] = "settled",
    [HOOK_NEVER_SETTLED] = "neverSettled",
    [HOOK_RUN_TIMEOUT] = "runTimeout",
    [HOOK_MESSAGE] = "message",
    [HOOK_FILLED] = "filled",
    [HOOK_SAY_CHANNELS] = "sayChannels",
    [HOOK_GET] = "get",
    [HOOK_PUT] = "put",
};

static JSValue hooks[HOOK_COUNT];

/* The last that the SDK does before the author's code runs: up to here all is the SDK's own. */
static JSValue set_hooks(JSContext *, JSValueConst, int, JSValueConst *argv) {
    for (int which = 0; which < HOOK_COUNT; which++) hooks[which] = JS_GetPropertyStr(js, argv[0], names[which]);
    inside_keep(js, true);
    return JS_UNDEFINED;
}

JSValue call_hook(hook which, int count, JSValueConst *arguments) {
    return JS_Call(js, hooks[which], JS_UNDEFINED, count, arguments);
}

JSValue call_hook_of(hook which, JSValueConst this, int count, JSValueConst *arguments) {
    return JS_Call(js, hooks[which], this, count, arguments);
}

/* What a call of the host came to; where it was refused, an error of the SDK's is thrown. */
JSValue or_refusal(JSValue answer) {
    if (!JS_IsException(answer)) return answer;
    JSValue thrown = JS_GetException(js), error = call_hook(HOOK_REFUSAL, 1, &thrown);
    JS_FreeValue(js, thrown);
    return JS_IsException(error) ? error : JS_Throw(js, error);
}

const JSCFunctionListEntry hook_functions[] = {JS_CFUNC_DEF("setHooks", 1, set_hooks)};
const int hook_function_count = sizeof hook_functions / sizeof *hook_functions;

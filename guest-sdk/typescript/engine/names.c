/* What functions and classes are called. */

#include "engine.h"

/* Gives a function or a class the name that the author gave it, where the bundler had to give it another or none. */
static JSValue keep_name(JSContext *, JSValueConst, int, JSValueConst *argv) {
    static JSAtom key;
    /* The plugin's module begins with this, so that each room has it. */
    if (!key) key = JS_NewAtom(js, "name");
    JSValue name = JS_DupValue(js, argv[1]);
    if (JS_DefinePropertyValue(js, argv[0], key, name, JS_PROP_CONFIGURABLE) < 0) return JS_EXCEPTION;
    return JS_DupValue(js, argv[0]);
}

const JSCFunctionListEntry name_functions[] = {JS_CFUNC_DEF("keepName", 2, keep_name)};
const int name_function_count = sizeof name_functions / sizeof *name_functions;

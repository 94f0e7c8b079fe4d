/*
 * Async functions without what nobody sees: their promises need no functions that settle them, since the engine itself does, and what
 * is awaited and has its value needs no reactions. The order of jobs is that of the language.
 */

static JSValue inside_pending(JSContext *ctx)
{
    JSValue promise = inside_fulfilled(ctx, JS_UNDEFINED);
    if (!JS_IsException(promise)) {
        JSPromiseData *its = JS_GetOpaque(promise, JS_CLASS_PROMISE);
        its->promise_state = JS_PROMISE_PENDING;
    }
    return promise;
}

/* Ends an async function's promise. */
static JSValue inside_settle(JSContext *ctx, JSValueConst promise, JSValueConst value, bool is_reject)
{
    JSValue functions[2];
    if (is_reject || !JS_IsObject(value)) {
        fulfill_or_reject_promise(ctx, promise, value, is_reject);
        return JS_UNDEFINED;
    }
    /* It may be a thenable. */
    if (js_create_resolving_functions(ctx, functions, promise) < 0) {
        JSValue error = JS_GetException(ctx);
        fulfill_or_reject_promise(ctx, promise, error, true);
        JS_FreeValue(ctx, error);
        return JS_UNDEFINED;
    }
    JSValue done = JS_Call(ctx, functions[0], JS_UNDEFINED, 1, &value);
    JS_FreeValue(ctx, functions[0]);
    JS_FreeValue(ctx, functions[1]);
    return done;
}

/* Goes on behind an `await`. A number holds the function's place, which the job has a reference to. */
static JSValue inside_go_on(JSContext *ctx, int argc, JSValueConst *argv)
{
    JSAsyncFunctionData *function = (JSAsyncFunctionData *)(uintptr_t)(uint32_t)JS_VALUE_GET_INT(argv[0]);
    function->func_state.throw_flag = false;
    function->func_state.frame.cur_sp[-1] = js_dup(argv[1]);
    bool is_success = js_async_function_resume(ctx, function);
    js_async_function_free(ctx->rt, function);
    return is_success ? JS_UNDEFINED : JS_EXCEPTION;
}

/* Whether what is awaited has its value, so that a job goes on with that; -1 where an exception was thrown. */
static int inside_await(JSContext *ctx, JSAsyncFunctionData *function, JSValueConst value)
{
    JSPromiseData *its = JS_GetOpaque(value, JS_CLASS_PROMISE);
    if (its) {
        /* A promise of another class is awaited by a promise of the engine's own. */
        JSValue constructor = JS_GetProperty(ctx, value, JS_ATOM_constructor);
        if (JS_IsException(constructor)) return -1;
        bool is_own = js_same_value(ctx, constructor, ctx->promise_ctor);
        JS_FreeValue(ctx, constructor);
        if (!is_own || its->promise_state != JS_PROMISE_FULFILLED) return 0;
        its->is_handled = true;
        value = its->promise_result;
    } else if (JS_IsObject(value)) {
        return 0;
    }
    JSValueConst arguments[2] = {js_int32((int32_t)(uintptr_t)function), value};
    inside_up(&JS_REF_COUNT(function));
    if (JS_EnqueueJob(ctx, inside_go_on, 2, arguments) == 0) return 1;
    js_async_function_free(ctx->rt, function);
    return -1;
}

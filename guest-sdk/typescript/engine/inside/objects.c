/* Objects by their structures: promises that are made as they are, and what an object is besides its class. */

JSValue inside_fulfilled(JSContext *ctx, JSValue value)
{
    JSValue promise = JS_NewObjectClass(ctx, JS_CLASS_PROMISE);
    JSPromiseData *its = JS_IsException(promise) ? NULL : js_mallocz(ctx, sizeof *its);
    if (!its) {
        JS_FreeValue(ctx, value);
        JS_FreeValue(ctx, promise);
        return JS_EXCEPTION;
    }
    for (int which = 0; which < 2; which++) init_list_head(&its->promise_reactions[which]);
    its->promise_state = JS_PROMISE_FULFILLED;
    its->promise_result = value;
    JS_SetOpaqueInternal(promise, its);
    return promise;
}

bool inside_is_unshared(JSValueConst object)
{
    JSObject *its = JS_VALUE_GET_OBJ(object);
    return JS_REF_COUNT(its) == 1 && its->shape->prop_count == 0 && its->first_weak_ref == NULL && its->extensible;
}

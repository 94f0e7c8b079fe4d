/* Objects by their structures: promises that are made as they are, what an object is besides its class, and shapes. */

/*
 * The shapes that objects were given of late. What a turn makes is gone when it ends, and its shapes with it, so that the next turn
 * would make them anew, a shape for each member.
 */
#define INSIDE_SHAPES 128
/* An object with more members is none that comes again; its shape is its own, and grows in its place. */
#define INSIDE_MEMBERS 16

static JSShape *inside_shapes[INSIDE_SHAPES];
static unsigned inside_next_shape;

static void inside_keep_shape(JSContext *ctx, JSShape *shape)
{
    if (!shape->is_hashed || shape->prop_count > INSIDE_MEMBERS) return;
    JSShape **place = &inside_shapes[inside_next_shape++ % INSIDE_SHAPES], *last = *place;
    *place = js_dup_shape(shape);
    js_free_shape_null(ctx->rt, last);
}

void inside_forget_shapes(JSContext *ctx)
{
    for (int at = 0; at < INSIDE_SHAPES; at++) {
        js_free_shape_null(ctx->rt, inside_shapes[at]);
        inside_shapes[at] = NULL;
    }
}

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

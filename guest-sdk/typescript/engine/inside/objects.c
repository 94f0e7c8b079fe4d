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

bool inside_is_unshared(JSValueConst object, JSValueConst prototype)
{
    JSObject *its = JS_VALUE_GET_OBJ(object);
    return JS_REF_COUNT(its) == 1 && its->shape->prop_count == 0 && its->shape->proto == JS_VALUE_GET_OBJ(prototype) &&
           its->first_weak_ref == NULL && its->extensible;
}

/*
 * What is for ever: its count is not written to, so that the pages that it lies in stay those of the image which all rooms share, and the
 * collector does not look at it. What it refers to lives as long.
 */

/* Whether an object is part of the program, and no data of it: what it refers to does not change, or is code as well. */
static bool inside_is_program(JSGCObjectHeader *of)
{
    JSObject *object = (JSObject *)of;
    if (JS_GC_TYPE(of) != JS_GC_OBJ_TYPE_JS_OBJECT) return true;
    switch (object->class_id) {
    case JS_CLASS_C_FUNCTION:
    case JS_CLASS_BYTECODE_FUNCTION:
    case JS_CLASS_GENERATOR_FUNCTION:
    case JS_CLASS_ASYNC_FUNCTION:
    case JS_CLASS_ASYNC_GENERATOR_FUNCTION:
        return true;
    default:
        return object->is_prototype;
    }
}

static void inside_keep_value(JSValueConst value)
{
    if (JS_IsString(value) && JS_VALUE_GET_TAG(value) == JS_TAG_STRING) JS_REF_COUNT(JS_VALUE_GET_STRING(value)) = INSIDE_FOREVER;
}

void inside_keep(JSContext *ctx, bool is_data_kept)
{
    JSRuntime *rt = ctx->rt;
    struct list_head *at, *next;
    list_for_each_safe(at, next, &rt->gc_obj_list) {
        JSGCObjectHeader *of = list_entry(at, JSGCObjectHeader, link);
        if (!is_data_kept && !inside_is_program(of)) continue;
        JS_REF_COUNT(of) = INSIDE_FOREVER;
        list_del(&of->link);
        init_list_head(&of->link);
        if (JS_GC_TYPE(of) == JS_GC_OBJ_TYPE_FUNCTION_BYTECODE) {
            JSFunctionBytecode *code = (JSFunctionBytecode *)of;
            for (int which = 0; which < code->cpool_count; which++) inside_keep_value(code->cpool[which]);
        }
    }
    for (int which = JS_ATOM_END; which < rt->atom_size; which++) {
        if (!atom_is_free(rt->atom_array[which])) JS_REF_COUNT(rt->atom_array[which]) = INSIDE_FOREVER;
    }
}

/*
 * Where what turns make lies: close together, so that few pages are a room's own. A room that needs more of a size gets it from where all
 * else is.
 */
#define INSIDE_ROOM (20 << 10)
static _Alignas(4096) char inside_room[INSIDE_ROOM];
static size_t inside_used;
static bool inside_apart, inside_has_first[JS_ARENA_BLOCK_SIZE_COUNT];

/* The first arena of a size; NULL where it has one, or there is no room for it. */
static JSArena *inside_first_arena(JSRuntime *rt, int block_size_idx)
{
    int size = arena_block_sizes[block_size_idx], count = size <= 128 ? 1000 / size : 4;
    size_t all = sizeof(JSArena) + (size_t)(size * count);
    if (!inside_apart || inside_has_first[block_size_idx] || all > INSIDE_ROOM - inside_used) return NULL;
    JSArena *arena = (JSArena *)(inside_room + inside_used);
    inside_has_first[block_size_idx] = true;
    inside_used += all;
    arena->block_size_idx = block_size_idx;
    /* It counts one that is never free, so that it is not freed itself. */
    arena->n_blocks = count + 1;
    arena->n_used_blocks = 1;
    arena->first_free_block = 0;
    for (int at = 0; at < count; at++) {
        JSMallocBlockHeader *block = arena_get_block(arena, at, size);
        block->u.free_next = at == count - 1 ? JS_ARENA_FREE_NIL : at + 1;
        block->block_size_idx = block_size_idx;
    }
    /* Nobody frees it or counts it, so that those of its size stay as they are. */
    init_list_head(&arena->link);
    list_add(&arena->free_link, &rt->arena_state.free_arena_list[block_size_idx]);
    return arena;
}

void inside_set_apart(JSContext *ctx)
{
    JSArenaState *state = &ctx->rt->arena_state;
    inside_apart = true;
    for (int which = 0; which < JS_ARENA_BLOCK_SIZE_COUNT; which++) {
        struct list_head *head = &state->free_arena_list[which], *at, *next;
        list_for_each_safe(at, next, head) {
            list_del(at);
            init_list_head(at);
        }
    }
}

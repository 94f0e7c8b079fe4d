/*
 * JSON as most messages are read. All else, and what is none, is left to the engine's own functions, which know the words.
 */

/* What is nested deeper is left to the engine, whose own bound is the stack's. */
#define INSIDE_DEEPEST 128

typedef struct inside_reader {
    JSContext *ctx;
    const uint8_t *at, *end;
    int depth;
    bool names_bytes;
} inside_reader;

/* A member that says so of its object. */
static const char inside_placeholder[] = "_placeholder";

/* Stands for what is left to the engine. */
#define INSIDE_LEFT JS_UNINITIALIZED

/* Takes of the stack that C keeps in memory, where the engine's bound is, about what a level takes of the real one. */
#define INSIDE_LEVEL() \
    char level[256];   \
    __asm__ volatile("" ::"r"(level) : "memory")

static JSValue inside_read(inside_reader *from);

static inline void inside_skip(inside_reader *from)
{
    while (*from->at == ' ' || *from->at == '\n' || *from->at == '\t' || *from->at == '\r') from->at++;
}

/* A text with escapes, from its first letter on. */
static JSValue inside_read_escaped(inside_reader *from, const uint8_t *begin)
{
    JSParseState state;
    js_parse_init(from->ctx, &state, (const char *)begin, from->end - begin, "", 1);
    if (json_parse_string(&state, &begin)) {
        JS_FreeValue(from->ctx, JS_GetException(from->ctx));
        return INSIDE_LEFT;
    }
    from->at = begin;
    return state.token.u.str.str;
}

/* A text, behind its first quotation mark. */
static JSValue inside_read_text(inside_reader *from)
{
    const uint8_t *begin = from->at, *at = begin;
    uint8_t all = 0;
    /* The text's end is a NUL, which is none of these. */
    while (*at != '"' && *at != '\\' && *at >= 0x20) all |= *at++;
    if (*at != '"') return inside_read_escaped(from, begin);
    from->at = at + 1;
    if (all < 0x80) return js_new_string8_len(from->ctx, (const char *)begin, at - begin);
    return JS_NewStringLen(from->ctx, (const char *)begin, at - begin);
}

/* A member's name, behind its quotation mark; JS_ATOM_NULL where it is left to the engine. */
static JSAtom inside_read_name(inside_reader *from)
{
    const uint8_t *begin = from->at, *at = begin;
    while (*at != '"' && *at != '\\' && *at >= 0x20 && *at < 0x80) at++;
    if (*at == '"') {
        from->at = at + 1;
        if (*begin == '_' && at - begin == sizeof inside_placeholder - 1 &&
            memcmp(begin, inside_placeholder, sizeof inside_placeholder - 1) == 0) {
            from->names_bytes = true;
        }
        return JS_NewAtomLen(from->ctx, (const char *)begin, at - begin);
    }
    JSValue name = inside_read_text(from);
    if (!JS_IsString(name)) return JS_ATOM_NULL;
    JSAtom atom = JS_ValueToAtom(from->ctx, name);
    JS_FreeValue(from->ctx, name);
    return atom;
}

static JSValue inside_read_object(inside_reader *from)
{
    INSIDE_LEVEL();
    JSContext *ctx = from->ctx;
    JSValue made = JS_NewObject(ctx);
    if (JS_IsException(made)) return INSIDE_LEFT;
    JSObject *object = JS_VALUE_GET_OBJ(made);
    inside_skip(from);
    if (*from->at == '}') {
        from->at++;
        return made;
    }
    for (;;) {
        JSProperty *property;
        if (*from->at++ != '"') break;
        JSAtom name = inside_read_name(from);
        if (name == JS_ATOM_NULL) break;
        inside_skip(from);
        JSValue value = *from->at == ':' ? (from->at++, inside_read(from)) : INSIDE_LEFT;
        if (!JS_IsUninitialized(value)) {
            if (find_own_property(&property, object, name)) {
                set_value(ctx, &property->u.value, value);
            } else if ((property = add_property(ctx, object, name, JS_PROP_C_W_E))) {
                property->u.value = value;
            } else {
                JS_FreeValue(ctx, value);
                value = INSIDE_LEFT;
            }
        }
        JS_FreeAtom(ctx, name);
        if (JS_IsUninitialized(value)) break;
        inside_skip(from);
        if (*from->at == '}') {
            from->at++;
            return made;
        }
        if (*from->at++ != ',') break;
        inside_skip(from);
    }
    JS_FreeValue(ctx, made);
    return INSIDE_LEFT;
}

static JSValue inside_read_array(inside_reader *from)
{
    INSIDE_LEVEL();
    JSContext *ctx = from->ctx;
    JSValue made = JS_NewArray(ctx);
    if (JS_IsException(made)) return INSIDE_LEFT;
    inside_skip(from);
    if (*from->at == ']') {
        from->at++;
        return made;
    }
    for (;;) {
        JSValue value = inside_read(from);
        if (JS_IsUninitialized(value) || add_fast_array_element(ctx, JS_VALUE_GET_OBJ(made), value, 0) < 0) break;
        inside_skip(from);
        if (*from->at == ']') {
            from->at++;
            return made;
        }
        if (*from->at++ != ',') break;
    }
    JS_FreeValue(ctx, made);
    return INSIDE_LEFT;
}

/* A whole number of few digits; of all others the engine tells which is the nearest. */
static JSValue inside_read_number(inside_reader *from)
{
    const uint8_t *begin = from->at, *at = begin;
    bool is_negative = *at == '-';
    uint64_t number = 0;
    if (is_negative) at++;
    const uint8_t *digits = at;
    while (*at >= '0' && *at <= '9' && at - digits < 15) number = number * 10 + (*at++ - '0');
    bool is_whole = at > digits && !(*at >= '0' && *at <= '9') && *at != '.' && *at != 'e' && *at != 'E';
    if (is_whole && (*digits != '0' || at == digits + 1) && !(is_negative && number == 0)) {
        from->at = at;
        return js_int64(is_negative ? -(int64_t)number : (int64_t)number);
    }
    JSParseState state;
    if (at == digits) return INSIDE_LEFT;
    js_parse_init(from->ctx, &state, (const char *)begin, from->end - begin, "", 1);
    if (json_parse_number(&state, &begin)) {
        JS_FreeValue(from->ctx, JS_GetException(from->ctx));
        return INSIDE_LEFT;
    }
    from->at = begin;
    return state.token.u.num.val;
}

static JSValue inside_read_word(inside_reader *from, const char *word, JSValue value)
{
    size_t len = strlen(word);
    if (strncmp((const char *)from->at, word, len) != 0) return INSIDE_LEFT;
    from->at += len;
    return value;
}

static JSValue inside_read(inside_reader *from)
{
    JSValue value = INSIDE_LEFT;
    inside_skip(from);
    switch (*from->at) {
    case '"':
        from->at++;
        value = inside_read_text(from);
        return JS_IsException(value) ? INSIDE_LEFT : value;
    case '{':
    case '[':
        if (from->depth++ == INSIDE_DEEPEST || js_check_stack_overflow(from->ctx->rt, 0)) return INSIDE_LEFT;
        value = *from->at++ == '{' ? inside_read_object(from) : inside_read_array(from);
        from->depth--;
        return value;
    case 't':
        return inside_read_word(from, "true", JS_TRUE);
    case 'f':
        return inside_read_word(from, "false", JS_FALSE);
    case 'n':
        return inside_read_word(from, "null", JS_NULL);
    default:
        return inside_read_number(from);
    }
}

JSValue inside_parse(JSContext *ctx, const char *text, size_t len, bool *names_bytes)
{
    inside_reader from = {ctx, (const uint8_t *)text, (const uint8_t *)text + len, 0, false};
    JSValue value = inside_read(&from);
    if (!JS_IsUninitialized(value)) {
        inside_skip(&from);
        *names_bytes = from.names_bytes;
        if (from.at == from.end) return value;
        JS_FreeValue(ctx, value);
    }
    /* It knows why, or how. */
    JS_FreeValue(ctx, JS_GetException(ctx));
    *names_bytes = true;
    return JS_ParseJSON(ctx, text, len, "<input>");
}

/*
 * JSON as most values are written: without anything of the author's that would have to run, such as a `toJSON` or a getter. All else is
 * left to the engine's own functions, before it has any effect. Behind `json_read.c`, whose bounds are the same.
 */

/* What stays of a text's memory. */
#define INSIDE_KEPT (64 << 10)

void inside_done(growing *of)
{
    of->len = 0;
    if (of->room <= INSIDE_KEPT) return;
    free(of->at);
    of->at = NULL;
    of->room = 0;
}

bool inside_grow(growing *to, size_t more)
{
    if (to->room - to->len >= more) return true;
    /* So that twice as much is a size still. */
    if (more > SIZE_MAX / 4 - to->len) return false;
    if (!to->at) {
        to->at = to->first;
        to->room = sizeof to->first;
        return inside_grow(to, more);
    }
    size_t room = to->room;
    while (room - to->len < more) room *= 2;
    char *at = realloc(to->at == to->first ? NULL : to->at, room);
    if (!at) return false;
    if (to->at == to->first) memcpy(at, to->first, to->len);
    to->at = at;
    to->room = room;
    return true;
}

static inline bool inside_add(growing *to, const char *bytes, size_t len)
{
    if (!inside_grow(to, len)) return false;
    memcpy(to->at + to->len, bytes, len);
    to->len += len;
    return true;
}

typedef struct inside_writer {
    JSContext *ctx;
    growing *to;
    halves halves;
    int depth;
} inside_writer;

static char *inside_escape(char *at, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";
    static const char names[] = "btn\0fr";
    *at++ = '\\';
    if (unit == '"' || unit == '\\') *at++ = (char)unit;
    else if (unit >= 8 && unit <= 13 && unit != 11) *at++ = names[unit - 8];
    else {
        *at++ = 'u';
        for (int shift = 12; shift >= 0; shift -= 4) *at++ = digits[unit >> shift & 15];
    }
    return at;
}

/* Six bytes are the most that a letter takes. Room is made for so many letters at a time, since most take one. */
#define INSIDE_WIDEST 6
#define INSIDE_PIECE 680

static bool inside_write_narrow(growing *to, const uint8_t *from, size_t len)
{
    if (!inside_add(to, "\"", 1)) return false;
    for (size_t place = 0; place < len;) {
        size_t end = len - place < INSIDE_PIECE ? len : place + INSIDE_PIECE;
        if (!inside_grow(to, (end - place) * INSIDE_WIDEST)) return false;
        char *at = to->at + to->len;
        for (; place < end; place++) {
            uint8_t unit = from[place];
            if (unit >= 0x80) {
                *at++ = (char)(unit >> 6 | 0xC0);
                *at++ = (char)((unit & 0x3F) | 0x80);
            } else if (unit < 0x20 || unit == '"' || unit == '\\') {
                at = inside_escape(at, unit);
            } else {
                *at++ = (char)unit;
            }
        }
        to->len = at - to->at;
    }
    return inside_add(to, "\"", 1);
}

/* Writes the letter at a place, and goes to its last unit: that of a pair may be the first one of the next piece. */
static inline char *inside_write_letter(char *at, const uint16_t *from, size_t *place, size_t len, halves halves)
{
    uint32_t unit = from[*place];
    if (is_hi_surrogate(unit) && *place + 1 < len && is_lo_surrogate(from[*place + 1])) {
        unit = from_surrogate(unit, from[++*place]);
    } else if (is_surrogate(unit)) {
        if (halves == HALVES_ESCAPED) return inside_escape(at, unit);
        unit = 0xFFFD;
    }
    if (unit < 0x20 || unit == '"' || unit == '\\') return inside_escape(at, unit);
    return at + utf8_encode((uint8_t *)at, unit);
}

static bool inside_write_wide(growing *to, const uint16_t *from, size_t len, halves halves)
{
    if (!inside_add(to, "\"", 1)) return false;
    for (size_t place = 0; place < len;) {
        size_t end = len - place < INSIDE_PIECE ? len : place + INSIDE_PIECE;
        if (!inside_grow(to, (end - place) * INSIDE_WIDEST)) return false;
        char *at = to->at + to->len;
        for (; place < end; place++) at = inside_write_letter(at, from, &place, len, halves);
        to->len = at - to->at;
    }
    return inside_add(to, "\"", 1);
}

static bool inside_write_text(inside_writer *of, JSString *text)
{
    if (text->is_wide_char) return inside_write_wide(of->to, str16(text), text->len, of->halves);
    return inside_write_narrow(of->to, str8(text), text->len);
}

static bool inside_write_number(inside_writer *of, double number)
{
    char digits[24];
    if (!isfinite(number)) return inside_add(of->to, "null", 4);
    if (number > -9007199254740992.0 && number < 9007199254740992.0 && number == (double)(int64_t)number) {
        return inside_add(of->to, digits, i64toa(digits, (int64_t)number));
    }
    JSValue text = js_dtoa2(of->ctx, number, 10, 0, JS_DTOA_FORMAT_FREE);
    if (JS_IsException(text)) return false;
    JSString *its = JS_VALUE_GET_STRING(text);
    bool is_written = inside_add(of->to, (const char *)str8(its), its->len);
    JS_FreeValue(of->ctx, text);
    return is_written;
}

/* Whether JSON asks an object of this kind for its form. */
static bool inside_has_form(JSObject *object)
{
    for (; object; object = object->shape->proto) {
        if (object->class_id == JS_CLASS_PROXY || find_own_property1(object, JS_ATOM_toJSON)) return true;
    }
    return false;
}

static bool inside_write_value(inside_writer *of, JSValueConst value);

/* Whether JSON has a form of it: a member that has none is left out. */
static inline bool inside_is_said(JSValueConst value)
{
    if (JS_IsUndefined(value) || JS_IsSymbol(value)) return false;
    return true;
}

static bool inside_write_object(inside_writer *of, JSObject *object)
{
    INSIDE_LEVEL();
    JSShape *shape = object->shape;
    JSShapeProperty *named = get_shape_prop(shape);
    JSRuntime *rt = of->ctx->rt;
    bool is_first = true;
    if (object->is_exotic || !inside_add(of->to, "{", 1)) return false;
    for (int at = 0; at < shape->prop_count; at++, named++) {
        uint32_t index;
        if (named->atom == JS_ATOM_NULL || !(named->flags & JS_PROP_ENUMERABLE)) continue;
        /* Those come first, in their order. */
        if (JS_AtomIsArrayIndex(of->ctx, &index, named->atom)) return false;
        JSString *name = rt->atom_array[named->atom];
        if (name->atom_type != JS_ATOM_TYPE_STRING) continue;
        if (named->flags & JS_PROP_TMASK) return false;
        JSValueConst value = object->prop[at].u.value;
        if (!inside_is_said(value)) continue;
        if (JS_IsObject(value) && JS_IsFunction(of->ctx, value)) return false;
        if (!is_first && !inside_add(of->to, ",", 1)) return false;
        is_first = false;
        if (!inside_write_text(of, name) || !inside_add(of->to, ":", 1) || !inside_write_value(of, value)) return false;
    }
    return inside_add(of->to, "}", 1);
}

static bool inside_write_array(inside_writer *of, JSObject *array)
{
    INSIDE_LEVEL();
    if (!array->fast_array || !inside_add(of->to, "[", 1)) return false;
    /* Of a longer length the rest are holes, which the prototype may fill. */
    if (JS_VALUE_GET_TAG(array->prop[0].u.value) != JS_TAG_INT ||
        (uint32_t)JS_VALUE_GET_INT(array->prop[0].u.value) != array->u.array.count) {
        return false;
    }
    for (uint32_t at = 0; at < array->u.array.count; at++) {
        JSValueConst value = array->u.array.u.values[at];
        if (at && !inside_add(of->to, ",", 1)) return false;
        if (JS_IsObject(value) && JS_IsFunction(of->ctx, value)) return false;
        if (!inside_is_said(value)) {
            if (!inside_add(of->to, "null", 4)) return false;
        } else if (!inside_write_value(of, value)) {
            return false;
        }
    }
    return inside_add(of->to, "]", 1);
}

static bool inside_write_value(inside_writer *of, JSValueConst value)
{
    char digits[24];
    switch (JS_VALUE_GET_NORM_TAG(value)) {
    case JS_TAG_STRING:
        return inside_write_text(of, JS_VALUE_GET_STRING(value));
    case JS_TAG_STRING_ROPE: {
        JSValue text = JS_ToString(of->ctx, value);
        if (JS_IsException(text)) return false;
        bool is_written = inside_write_text(of, JS_VALUE_GET_STRING(text));
        JS_FreeValue(of->ctx, text);
        return is_written;
    }
    case JS_TAG_INT:
        return inside_add(of->to, digits, i32toa(digits, JS_VALUE_GET_INT(value)));
    case JS_TAG_FLOAT64:
        return inside_write_number(of, JS_VALUE_GET_FLOAT64(value));
    case JS_TAG_BOOL:
        return JS_VALUE_GET_BOOL(value) ? inside_add(of->to, "true", 4) : inside_add(of->to, "false", 5);
    case JS_TAG_NULL:
        return inside_add(of->to, "null", 4);
    case JS_TAG_OBJECT:
        break;
    default:
        return false;
    }
    JSObject *object = JS_VALUE_GET_OBJ(value);
    if (of->depth == INSIDE_DEEPEST || js_check_stack_overflow(of->ctx->rt, 0) || inside_has_form(object)) return false;
    of->depth++;
    bool is_written = object->class_id == JS_CLASS_OBJECT  ? inside_write_object(of, object)
                      : object->class_id == JS_CLASS_ARRAY ? inside_write_array(of, object)
                                                           : false;
    of->depth--;
    return is_written;
}

bool inside_write(JSContext *ctx, growing *to, JSValueConst value, halves halves)
{
    inside_writer of = {ctx, to, halves, 0};
    size_t len = to->len;
    if (inside_write_value(&of, value)) return true;
    to->len = len;
    /* Memory that was not there, which whoever writes it instead finds out as well. */
    JS_FreeValue(ctx, JS_GetException(ctx));
    return false;
}

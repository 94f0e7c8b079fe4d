/* JSON: one value is a piece of text, which is read in its place and written as it is. Include parlor.h. */

#ifndef PARLOR_JSON_H
#define PARLOR_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A JSON value: its text, which lives until the end of the call. `text` is NULL where there is none, which is not `null`.
 *
 *     pl_json data = event->data;
 *     if (!data.text) pl_reject("move.empty", "send a move");
 */
typedef struct pl_json {
    const char *text;
    size_t len;
} pl_json;

/* Bytes, which live until the end of the call. `at` is NULL where there are none; no bytes at all have another `at`.
 *
 *     pl_bytes picture = pl_bytes_of(pl_at(event->data, "picture"));
 *     if (!picture.at) pl_reject("picture.missing", "send a picture");
 */
typedef struct pl_bytes {
    const uint8_t *at;
    size_t len;
} pl_bytes;

/* What a JSON value is.
 *
 *     if (pl_kind_of(event->data) != PL_ARRAY) pl_reject("move.shape", "a move is [x, y]");
 */
typedef enum pl_kind { PL_NONE, PL_NULL, PL_BOOL, PL_NUMBER, PL_TEXT, PL_ARRAY, PL_OBJECT, PL_BYTES } pl_kind;

/* ---- Reading. What is missing or of another kind reads as none, 0, false or "". ---- */

/* What a value is; PL_NONE where there is none. Bytes that came within JSON are PL_OBJECT until `pl_bytes_of` reads them.
 *
 *     bool has_name = pl_kind_of(pl_at(event->data, "name")) == PL_TEXT;
 */
pl_kind pl_kind_of(pl_json value);

/* A member of an object; none where there is no such member. Of several of one name it is the first.
 *
 *     double x = pl_double(pl_at(event->data, "x"));
 */
pl_json pl_at(pl_json object, const char *name);

/* An item of an array, from 0; none past its end.
 *
 *     double x = pl_double(pl_item(event->data, 0));
 */
pl_json pl_item(pl_json array, size_t place);

/* How many items an array has, or members an object; 0 for everything else.
 *
 *     if (pl_count(event->data) != 2) pl_reject("move.shape", "a move is [x, y]");
 */
size_t pl_count(pl_json value);

/* Goes through an array or an object: answers whether there is one more, and sets `item`, and where it is no NULL `name`: the
 * member's name, a text; none in an array. `at` is 0 at first.
 *
 *     size_t at = 0;
 *     pl_json name, score;
 *     while (pl_next(scores, &at, &name, &score)) pl_info(pl_format("%s has %lld", pl_text(name), pl_int(score)));
 */
bool pl_next(pl_json value, size_t *at, pl_json *name, pl_json *item);

/* A text, with its escapes read; "" for everything else. The letter NUL in it becomes the bytes C0 80, which the SDK's functions
 * take for it.
 *
 *     const char *text = pl_text(pl_at(event->data, "text"));
 */
const char *pl_text(pl_json value);

/* A number without its fraction; 0 for everything else. What is too large is the largest, what is too small the smallest.
 *
 *     long long seats = pl_int(pl_at(event->data, "seats"));
 */
long long pl_int(pl_json value);

/* A number; 0 for everything else.
 *
 *     double x = pl_double(pl_at(event->data, "x"));
 */
double pl_double(pl_json value);

/* Whether a value is `true`.
 *
 *     if (pl_bool(pl_at(event->data, "ready"))) start();
 */
bool pl_bool(pl_json value);

/* Bytes that a client sent, alone or anywhere in its data, or that stand there as {"base64": "..."}; none for everything else.
 *
 *     pl_bytes pixels = pl_bytes_of(pl_at(event->data, "pixels"));
 */
pl_bytes pl_bytes_of(pl_json value);

/* Reads a text as JSON. Where it is none, the turn fails with the code `json`.
 *
 *     pl_json limits = pl_parse(pl_config("limits"));
 */
pl_json pl_parse(const char *text);

/* Whether two values are the same: numbers by their values, objects whatever the order of their members. Of
 * several members of one name the first counts.
 *
 *     if (pl_same(pl_get("state"), pl_obj("open", pl_true))) shut();
 */
bool pl_same(pl_json one, pl_json other);

/* ---- Writing. ---- */

/* `null`, `true`, `false`, `{}` and `[]`.
 *
 *     pl_emit(event, "ready", pl_empty);
 */
extern const pl_json pl_null, pl_true, pl_false, pl_empty, pl_empty_array;

/* A text. What is no UTF-8 in it becomes U+FFFD.
 *
 *     pl_put("motto", pl_str("be brief"));
 */
pl_json pl_str(const char *text);

/* A whole number.
 *
 *     pl_put("count", pl_num(3));
 */
pl_json pl_num(long long number);

/* A number, in the shortest form that reads as the same; `null` for what JSON has no number for.
 *
 *     pl_emit(event, "speed", pl_real(0.1));
 */
pl_json pl_real(double number);

/* `true` or `false`.
 *
 *     pl_emit(event, "started", pl_of_bool(players > 1));
 */
pl_json pl_of_bool(bool value);

/* Bytes, to stand anywhere in what is emitted, asked or answered. Clients of Socket.IO get bytes, clients of Verani's protocol
 * {"base64": "..."}. In storage, timers and states they are {"base64": "..."} as well, which `pl_bytes_of` reads.
 *
 *     static const uint8_t dot[] = {0, 255};
 *     pl_emit(event, "picture", pl_obj("pixels", pl_of_bytes(dot, sizeof dot)));
 */
pl_json pl_of_bytes(const void *at, size_t len);

/* An object: names, each with its value. Members whose value is none are left out.
 *
 *     pl_emit(event, "said", pl_obj("text", pl_str("hi"), "number", pl_num(1)));
 */
#define pl_obj(...) pl_object_of(__VA_ARGS__, (const char *)NULL)
pl_json pl_object_of(const char *name, ...);

/* An array of `count` values. One that is none becomes `null`, so that the others keep their places.
 *
 *     pl_emit(event, "moved", pl_array((pl_json[]){pl_num(3), pl_num(4)}, 2));
 */
pl_json pl_array(const pl_json *items, size_t count);

/* An object or array that grows; zeroed at first. It lives until the end of the call.
 *
 *     pl_list users = {0};
 *     pl_list_add(&users, pl_str("ada"));
 *     pl_emit(event, "users", pl_list_json(&users));
 */
typedef struct pl_list {
    char *text;
    size_t len, size;
} pl_list;

/* Adds an item to an array; nothing where it is none.
 *
 *     pl_list_add(&users, pl_str("ada"));
 */
void pl_list_add(pl_list *list, pl_json item);

/* Adds a member to an object. Of one name there should be one.
 *
 *     pl_list scores = {0};
 *     pl_list_set(&scores, "ada", pl_num(3));
 */
void pl_list_set(pl_list *list, const char *name, pl_json value);

/* As pl_list_set, with a name that pl_next gave.
 *
 *     while (pl_next(scores, &at, &name, &score)) pl_list_member(&twice, name, pl_num(pl_int(score) * 2));
 */
void pl_list_member(pl_list *list, pl_json name, pl_json value);

/* The array of what was added.
 *
 *     pl_emit(event, "users", pl_list_json(&users));
 */
pl_json pl_list_json(const pl_list *list);

/* The object of what was set.
 *
 *     pl_put("scores", pl_list_object(&scores));
 */
pl_json pl_list_object(const pl_list *list);

#endif

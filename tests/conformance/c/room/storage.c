/* The room's keys and values. */

static pl_json get_many(pl_json keys) {
    size_t count;
    const char *const *names = texts(keys, &count);
    const pl_json *values = pl_get_many(names, count);
    pl_list found = {0};
    for (size_t at = 0; at < count; at++) {
        bool is_first = true;
        for (size_t before = 0; before < at; before++) is_first &= !is(names[before], names[at]);
        if (is_first && values[at].text) pl_list_add(&found, pl_array((pl_json[]){pl_str(names[at]), values[at]}, 2));
    }
    return pl_list_json(&found);
}

static void put_many(pl_json list) {
    pl_entry *entries = pl_alloc((pl_count(list) + 1) * sizeof *entries);
    size_t at = 0, count = 0;
    pl_json pair;
    while (pl_next(list, &at, NULL, &pair))
        entries[count++] = (pl_entry){.key = pl_text(pl_item(pair, 0)), .value = pl_item(pair, 1)};
    pl_put_many(entries, count);
}

static pl_json list_all(const char *prefix) {
    pl_list all = {0};
    pl_page page = {0};
    do {
        page = pl_list_keys(prefix, page.next, 1000);
        for (size_t at = 0; at < page.count; at++) {
            const pl_entry *entry = page.entries + at;
            if (!entry->value.text) pl_fail("json", "the value is no JSON");
            pl_list_add(&all, pl_array((pl_json[]){pl_str(entry->key), entry->value}, 2));
        }
    } while (page.next);
    return pl_list_json(&all);
}

static pl_json one_page(const args *args) {
    pl_json after = value(args, 1);
    pl_page page = pl_list_keys(text(args, 0), pl_kind_of(after) == PL_TEXT ? pl_text(after) : NULL,
                                (uint32_t)number(args, 2));
    pl_list keys = {0};
    for (size_t at = 0; at < page.count; at++) pl_list_add(&keys, pl_str(page.entries[at].key));
    return pl_obj("keys", pl_list_json(&keys), "next", page.next ? pl_str(page.next) : pl_null);
}

static pl_json numbers_of(pl_bytes bytes) {
    pl_list numbers = {0};
    if (!bytes.at) return pl_null;
    for (size_t at = 0; at < bytes.len; at++) pl_list_add(&numbers, pl_num(bytes.at[at]));
    return pl_list_json(&numbers);
}

static bool storage(const args *args, const char *name, pl_json *result) {
    size_t count;
    *result = pl_null;
    if (is(name, "get")) *result = pl_get(text(args, 0));
    else if (is(name, "put")) pl_put(text(args, 0), value(args, 1));
    else if (is(name, "delete")) *result = pl_of_bool(pl_delete(text(args, 0)));
    else if (is(name, "get-many")) *result = get_many(value(args, 0));
    else if (is(name, "put-many")) put_many(value(args, 0));
    else if (is(name, "delete-many")) {
        const char *const *keys = texts(value(args, 0), &count);
        *result = pl_num(pl_delete_many(keys, count));
    } else if (is(name, "list")) *result = list_all(text(args, 0));
    else if (is(name, "page")) *result = one_page(args);
    else if (is(name, "put-bytes")) {
        pl_bytes raw = pl_bytes_of(bytes(value(args, 1)));
        pl_put_bytes(text(args, 0), raw.at, raw.len);
    } else if (is(name, "get-bytes")) *result = numbers_of(pl_get_bytes(text(args, 0)));
    else return false;
    return true;
}

/* What was said lately to channels. */

#include "host.h"

void pl_keep_history(const char *channel, uint32_t entries, uint32_t ttl_ms, bool durable) {
    pl_result result;
    pl_out of = pl_out_of(channel);
    host_history_keep(of.at, of.len, entries, ttl_ms, durable, &result);
    pl_took(&result);
}

pl_said_page pl_history(const char *channel, const char *after, uint32_t limit) {
    pl_result result;
    pl_out of = pl_out_of(channel), behind = pl_out_of(after);
    host_history_read(of.at, of.len, after != NULL, behind.at, behind.len, limit, &result);
    if (!pl_took(&result)) return (pl_said_page){0};
    const struct pl_said_entry *from = result.ok.history.entries.at;
    size_t count = result.ok.history.entries.len;
    pl_said *entries = pl_alloc(count * sizeof *entries + 1);
    for (size_t at = 0; at < count; at++) {
        entries[at] = (pl_said){
            .position = pl_in(from[at].position.at, from[at].position.len),
            .event = pl_in(from[at].event.at, from[at].event.len),
            .data = pl_of_payload(from[at].is_binary, from[at].data.at, from[at].data.len),
            .at = from[at].at,
        };
    }
    return (pl_said_page){entries, count, result.ok.history.recovered};
}

const char *pl_history_position(const char *channel) {
    pl_result result;
    pl_out of = pl_out_of(channel);
    host_history_position(of.at, of.len, &result);
    return pl_took(&result) ? pl_in(result.ok.span.at, result.ok.span.len) : "";
}

#pragma clang attribute pop

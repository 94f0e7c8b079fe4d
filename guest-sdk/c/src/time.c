/* What is to run later. */

#include "host.h"

void pl_timer(const char *name, uint32_t delay_ms, pl_json data) {
    pl_result result;
    pl_out to = pl_out_of(name), text = data.text ? pl_kept(data) : (pl_out){"", 0};
    host_timer_set(to.at, to.len, delay_ms, data.text != NULL, false, text.at, text.len, &result);
    pl_took(&result);
}

bool pl_timer_cancel(const char *name) {
    pl_result result;
    pl_out to = pl_out_of(name);
    host_timer_cancel(to.at, to.len, &result);
    return pl_took(&result) && result.ok.flag;
}

void pl_alarm(double at) {
    pl_result result;
    host_alarm_set(at, &result);
    pl_took(&result);
}

double pl_alarm_due(void) {
    pl_time_result result;
    host_alarm_get(&result);
    if (!result.is_refused) return result.ok.option.is_some ? result.ok.option.number : 0;
    pl_result refused = {.is_refused = 1};
    refused.ok.refusal.why = result.ok.refusal.why;
    refused.ok.refusal.words = result.ok.refusal.words;
    pl_took(&refused);
    return 0;
}

void pl_alarm_cancel(void) {
    pl_result result;
    host_alarm_cancel(&result);
    pl_took(&result);
}

#pragma clang attribute pop

/* Time, and what is to run later. */

static bool later(const args *args, const char *name, pl_json *result) {
    *result = pl_null;
    if (is(name, "now")) *result = pl_real(pl_now());
    else if (is(name, "timer")) pl_timer(text(args, 0), (uint32_t)number(args, 1), raw(args, 2));
    else if (is(name, "timer-cancel")) *result = pl_of_bool(pl_timer_cancel(text(args, 0)));
    else if (is(name, "alarm-in")) pl_alarm(pl_now() + (double)number(args, 0));
    else if (is(name, "alarm-at")) pl_alarm(pl_double(value(args, 0)));
    else if (is(name, "alarm-cancel")) pl_alarm_cancel();
    else if (is(name, "alarm")) {
        double due = pl_alarm_due();
        *result = due ? pl_real(due) : pl_null;
    } else return false;
    return true;
}

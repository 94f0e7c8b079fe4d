//! What lasts: storage, the alarm, timers, and what becomes of each when the server ends.

mod alarms;
mod busy;
mod keys;
mod restarts;
mod timers;

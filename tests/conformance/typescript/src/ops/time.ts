/** Time, and what is to run later. */

import type { Operations } from "./index.ts";

export const time: Operations = {
  "now": () => Date.now(),
  "timer": ({ actor }, name, ms, ops) => actor.timers.set(name, ms, ops),
  "timer-cancel": ({ actor }, name) => actor.timers.cancel(name),
  "alarm-in": ({ actor }, ms) => actor.alarm.set(Date.now() + ms),
  "alarm-at": ({ actor }, at) => actor.alarm.set(at),
  "alarm": ({ actor }) => actor.alarm.get(),
  "alarm-cancel": ({ actor }) => actor.alarm.cancel(),
};

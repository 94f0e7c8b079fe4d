/** The room's timers, and its alarm. */

import { RoomError, asked } from "./errors.js";
import { alarmCancel, alarmGet, alarmSet, timerCancel, timerSet } from "./host.js";
import { jsonText, needText } from "./payload.js";

const TIMER = "a timer's name";

export const timers = {
  set(name: string, delayMs: number, data?: unknown): void {
    needText(name, TIMER);
    const delay = Math.ceil(delayMs);
    if (!(delay >= 0 && delay < 2 ** 32)) {
      throw new RoomError("invalid", "a timer's delay must be 0 to 4294967295 ms (49 days): the alarm takes any time");
    }
    const body = data === undefined ? null : ({ tag: "json", val: jsonText(data, "a timer's data") } as const);
    asked(() => timerSet(name, delay, body));
  },

  cancel(name: string): boolean {
    needText(name, TIMER);
    return asked(() => timerCancel(name));
  },
};

export const alarm = {
  set(at: number | Date): void {
    const time = at instanceof Date ? at.getTime() : at;
    if (typeof time !== "number" || Number.isNaN(time)) {
      throw new RoomError("invalid", "an alarm is set to a Date, or to milliseconds since the Unix epoch");
    }
    asked(() => alarmSet(time));
  },

  get(): number | undefined {
    return asked(alarmGet) ?? undefined;
  },

  cancel(): void {
    asked(alarmCancel);
  },
};

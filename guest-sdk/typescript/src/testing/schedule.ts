/** What is to run later in a test room: its timers, and its alarm. */

import type { Payload } from "../host.js";
import { bytesOf, checkName, exceeded, invalid, TIMER_BYTES, TIMERS_PER_ROOM } from "./bounds.js";

/** How long a failed alarm waits for its second attempt; twice as long before each further one. */
const ALARM_RETRY_MS = 1_000;
const ALARM_RETRY_MS_MAX = 5 * 60 * 1_000;

export interface Timer {
  readonly name: string;
  readonly due: number;
  readonly data: Payload | null;
}

interface Alarm {
  readonly due: number;
  /** How often it was tried. */
  readonly attempts: number;
  /** When it is tried next. */
  readonly next: number;
}

/** Something whose time has come, and when that is. */
export type Due = { at: number } & ({ timer: Timer } | { alarm: { due: number; attempt: number } });

/** The timers and the alarm of a room. A turn works on a copy, which replaces the original when it commits. */
export class Schedule {
  /** In the order in which they were set. */
  #timers: Timer[] = [];
  #alarm: Alarm | undefined;

  copy(): Schedule {
    const copy = new Schedule();
    copy.#timers = [...this.#timers];
    copy.#alarm = this.#alarm;
    return copy;
  }

  setTimer(name: string, due: number, data: Payload | null): void {
    checkName("a timer's name", name);
    if (data?.tag === "json" && bytesOf(data.val) > TIMER_BYTES) throw exceeded("timer-bytes");
    if (data?.tag === "binary") throw invalid("a timer's data must be JSON");
    const others = this.#timers.filter((timer) => timer.name !== name);
    if (others.length >= TIMERS_PER_ROOM) throw exceeded("timers-per-room");
    this.#timers = [...others, { name, due, data }];
  }

  cancelTimer(name: string): boolean {
    const others = this.#timers.filter((timer) => timer.name !== name);
    const was = others.length < this.#timers.length;
    this.#timers = others;
    return was;
  }

  setAlarm(at: number): void {
    const latest = Number.MAX_SAFE_INTEGER;
    if (!(at >= 0 && at <= latest)) throw invalid(`the time of an alarm must be 0 to ${latest} ms, not ${at}`);
    const due = Math.trunc(at);
    this.#alarm = { due, attempts: 0, next: due };
  }

  forgetAlarm(): void {
    this.#alarm = undefined;
  }

  alarm(): number | undefined {
    return this.#alarm?.due;
  }

  /** The timers in the order in which they run. */
  timers(): Timer[] {
    return this.#timers.toSorted((a, b) => a.due - b.due);
  }

  /** What a restart of the server leaves of it: the alarm, which is tried as if for the first time. */
  restart(): void {
    this.#timers = [];
    if (this.#alarm !== undefined) this.setAlarm(this.#alarm.due);
  }

  /**
   * Takes out what is to run first, if that is by `until`. A timer is gone with this. The alarm stays, as one that is tried
   * again later: the turn that succeeds forgets it.
   */
  takeDue(now: number, until: number): Due | undefined {
    const timer = this.timers()[0];
    const alarm = this.#alarm;
    const alarmAt = alarm !== undefined && alarm.next <= until ? alarm.next : undefined;
    if (timer !== undefined && timer.due <= until && (alarmAt === undefined || timer.due <= alarmAt)) {
      this.cancelTimer(timer.name);
      return { at: Math.max(timer.due, now), timer };
    }
    if (alarm === undefined || alarmAt === undefined) return undefined;
    const at = Math.max(alarmAt, now);
    const wait = Math.min(ALARM_RETRY_MS * 2 ** Math.min(alarm.attempts, 10), ALARM_RETRY_MS_MAX);
    this.#alarm = { due: alarm.due, attempts: alarm.attempts + 1, next: at + wait };
    return { at, alarm: { due: alarm.due, attempt: alarm.attempts + 1 } };
  }
}

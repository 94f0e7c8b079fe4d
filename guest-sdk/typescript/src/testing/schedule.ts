/** What is to run later in a test room: its timers, and its alarm. */

import type { Payload } from "../host.js";
import {
  ASKS_PER_ROOM,
  ASKS_PER_SOCKET,
  bytesOf,
  checkName,
  exceeded,
  invalid,
  TIMER_BYTES,
  TIMERS_PER_ROOM,
} from "./bounds.js";

/** How long a failed alarm waits for its second attempt; twice as long before each further one. */
const ALARM_RETRY_MS = 1_000;
const ALARM_RETRY_MS_MAX = 5 * 60 * 1_000;

export interface Timer {
  readonly name: string;
  readonly due: number;
  readonly data: Payload | null;
}

/** What a client was asked and has not answered. */
export interface Ask {
  readonly id: number;
  readonly socket: number;
  readonly name: string;
  readonly due: number;
}

interface Alarm {
  readonly due: number;
  /** How often it was tried. */
  readonly attempts: number;
  /** When it is tried next. */
  readonly next: number;
}

/** Something whose time has come, and when that is. */
export type Due = { at: number } & ({ timer: Timer } | { ask: Ask } | { alarm: { due: number; attempt: number } });

/** The timers, the asks and the alarm of a room. A turn works on a copy, which replaces the original when it commits. */
export class Schedule {
  /** In the order in which they were set. */
  #timers: Timer[] = [];
  /** In the order in which they were made. */
  #asks: Ask[] = [];
  /** Shared with the copies: no number is given twice, not even where a turn fails. */
  #numbers = { last: 0 };
  #alarm: Alarm | undefined;

  copy(): Schedule {
    const copy = new Schedule();
    copy.#timers = [...this.#timers];
    copy.#asks = [...this.#asks];
    copy.#numbers = this.#numbers;
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

  /** Refuses one more ask of a socket, where there are too many. */
  checkAsks(socket: number): void {
    if (this.#asks.length >= ASKS_PER_ROOM) throw exceeded("asks-per-room");
    if (this.#asks.filter((ask) => ask.socket === socket).length >= ASKS_PER_SOCKET) throw exceeded("asks-per-socket");
  }

  addAsk(socket: number, name: string, due: number): number {
    const id = (this.#numbers.last += 1);
    this.#asks.push({ id, socket, name, due });
    return id;
  }

  /** Takes out an ask of a socket; without a number the first. */
  takeAsk(socket: number, id?: number): Ask | undefined {
    const found = this.#asks.find((ask) => ask.socket === socket && (id === undefined || ask.id === id));
    this.#asks = this.#asks.filter((ask) => ask !== found);
    return found;
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
    this.#asks = [];
    if (this.#alarm !== undefined) this.setAlarm(this.#alarm.due);
  }

  /**
   * Takes out what is to run first, if that is by `until`: at the same moment a timer, then an ask, then the alarm. A timer and
   * an ask are gone with this. The alarm stays, as one that is tried again later: the turn that succeeds forgets it.
   */
  takeDue(now: number, until: number): Due | undefined {
    const timer = this.timers()[0];
    const ask = this.#asks.toSorted((a, b) => a.due - b.due)[0];
    const alarm = this.#alarm;
    const first = Math.min(timer?.due ?? Infinity, ask?.due ?? Infinity, alarm?.next ?? Infinity);
    if (first > until) return undefined;
    const at = Math.max(first, now);
    if (timer?.due === first) {
      this.cancelTimer(timer.name);
      return { at, timer };
    }
    if (ask?.due === first) {
      this.takeAsk(ask.socket, ask.id);
      return { at, ask };
    }
    if (alarm === undefined) return undefined;
    const wait = Math.min(ALARM_RETRY_MS * 2 ** Math.min(alarm.attempts, 10), ALARM_RETRY_MS_MAX);
    this.#alarm = { due: alarm.due, attempts: alarm.attempts + 1, next: at + wait };
    return { at, alarm: { due: alarm.due, attempt: alarm.attempts + 1 } };
  }
}

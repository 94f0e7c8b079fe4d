/** What runs within a turn besides the handler itself: promises' jobs and timeouts. */

import { write } from "./console.js";
import { RoomError } from "./errors.js";
import { drain, isIdle, needEnd, outcome, takeUnhandled } from "./host.js";
import { described } from "./lines.js";
import { needHost } from "./phase.js";

interface Timeout {
  id: number;
  /** In milliseconds of the turn's own time, which only the running of timeouts moves. */
  due: number;
  every: number | undefined;
  callback: (...args: any[]) => unknown;
  args: any[];
}

/** In the order in which they are due. */
let timeouts: Timeout[] = [];
let lastId = 0;
let elapsed = 0;

function schedule(timeout: Timeout): void {
  let at = timeouts.length;
  while (at > 0 && timeouts[at - 1]!.due > timeout.due) at -= 1;
  timeouts.splice(at, 0, timeout);
}

function add(name: string, callback: unknown, delay: unknown, repeat: boolean, args: any[]): number {
  needHost(name);
  needEnd();
  if (typeof callback !== "function") throw new TypeError(`${name} takes a function`);
  const number = Number(delay);
  const wait = number > 0 ? number : 0;
  lastId += 1;
  const every = repeat ? Math.max(wait, 1) : undefined;
  schedule({ id: lastId, due: elapsed + wait, every, callback: callback as Timeout["callback"], args });
  return lastId;
}

/** The global `setTimeout`. */
export function setTimeout(callback: unknown, delay?: unknown, ...args: any[]): number {
  return add("setTimeout", callback, delay, false, args);
}

/** The global `setInterval`. */
export function setInterval(callback: unknown, delay?: unknown, ...args: any[]): number {
  return add("setInterval", callback, delay, true, args);
}

/** The globals `clearTimeout` and `clearInterval`. */
export function clearTimeout(id: unknown): void {
  const at = timeouts.findIndex((timeout) => timeout.id === id);
  if (at >= 0) timeouts.splice(at, 1);
}

/** Runs the timeout that is due first; false where there is none. */
export function runTimeout(): boolean {
  const timeout = timeouts.shift();
  if (timeout === undefined) return false;
  elapsed = Math.max(elapsed, timeout.due);
  if (timeout.every !== undefined) schedule({ ...timeout, due: elapsed + timeout.every });
  timeout.callback(...timeout.args);
  return true;
}

/** Whether this is a promise, or something like one. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === "object" || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

export function neverSettled(what: string): never {
  throw new RoomError("never-settled", `${what} returned a promise that nothing is left to settle`);
}

/** The value that a promise comes to: runs jobs and timeouts until it has settled. */
export function waitFor(value: PromiseLike<unknown>, what: string): unknown {
  const promise = Promise.resolve(value);
  for (;;) {
    let settled = outcome(promise);
    if (settled === undefined) {
      drain();
      settled = outcome(promise);
    }
    if (settled !== undefined) return settled[0];
    if (!runTimeout()) neverSettled(what);
  }
}

/**
 * Ends a turn: runs what is queued, drops what is still to come. The first error that nobody caught, a rejection that nobody
 * handles among them, is thrown; further ones are only logged, as all are where the turn has `failed` already.
 */
export function endTurn(failed: boolean): void {
  if (timeouts.length === 0 && elapsed === 0 && isIdle()) return;
  const errors: unknown[] = [];
  try {
    drain();
  } catch (thrown) {
    errors.push(thrown);
  }
  if (timeouts.length > 0) {
    const count = timeouts.length === 1 ? "a timeout was" : `${timeouts.length} timeouts were`;
    write("warn", `${count} still pending when the turn's handlers had ended, and dropped: use ctx.actor.timers`);
    timeouts = [];
  }
  elapsed = 0;
  errors.push(...takeUnhandled());
  for (const error of failed ? errors : errors.slice(1)) write("error", described(error));
  if (!failed && errors.length > 0) throw errors[0];
}

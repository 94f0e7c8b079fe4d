/** Transactions within a turn: the turn is one itself, so that these only have to undo what they wrote. */

import { RoomError, asked } from "./errors.js";
import { alarmCancel, alarmGet, alarmSet, needEnd, storageDelete, storageDeleteMany, storageGet, storagePut } from "./host.js";

/** What a storage's writes tell of themselves before they happen. */
export interface Journal {
  /** These keys are written next. */
  writes(keys: readonly string[]): void;
  /** The alarm is changed next. */
  alarms(): void;
}

/** A transaction that runs: what was stored under the keys that it wrote. */
export class Open implements Journal {
  readonly #before = new Map<string, Uint8Array | null>();
  #alarm: { due: number | null } | undefined;
  #isOver = false;

  /** Refuses what comes after the end. */
  need(): void {
    if (this.#isOver) throw new RoomError("invalid", "this transaction is over: it was rolled back, or its function has ended");
  }

  writes(keys: readonly string[]): void {
    for (const key of keys) {
      if (typeof key !== "string" || this.#before.has(key)) continue;
      this.#before.set(key, asked(() => storageGet(key)));
    }
  }

  alarms(): void {
    this.#alarm ??= { due: asked(alarmGet) };
  }

  end(): void {
    this.#isOver = true;
  }

  /** Puts back what was there before, and ends. */
  undo(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const [key, value] of this.#before) {
      asked(() => (value === null ? void storageDelete(key) : storagePut(key, value)));
    }
    const alarm = this.#alarm;
    if (alarm !== undefined) asked(() => (alarm.due === null ? alarmCancel() : alarmSet(alarm.due)));
  }
}

/** The transactions of a turn come one after another: what one reads, no other one writes meanwhile. */
let last: Promise<unknown> | undefined;

/** Runs `body` as a transaction: what it wrote is undone where it fails. `handle` is what it is given. */
export function transaction<T, H>(open: Open, handle: H, body: (txn: H) => T | PromiseLike<T>): Promise<T> {
  if (typeof body !== "function") {
    return Promise.reject(new RoomError("invalid", "transaction takes a function of the transaction"));
  }
  const run = () => {
    try {
      return Promise.resolve(body(handle));
    } catch (error) {
      return Promise.reject(error) as Promise<T>;
    }
  };
  const begun: Promise<T> = last === undefined ? run() : last.then(run, run);
  const ended = begun.then(
    (value) => {
      open.end();
      return value;
    },
    (error: unknown) => {
      open.undo();
      throw error;
    },
  );
  // The line is empty again once the last has ended: a turn that ends leaves none to wait for.
  const place = ended.then(leave, leave);
  function leave(): void {
    if (last === place) last = undefined;
  }
  last = place;
  needEnd();
  return ended;
}

/** Forgets transactions that never ended: their turn is over. */
export function endTurn(): void {
  last = undefined;
}

/** Removes all of these keys. */
export function deleteKeys(keys: readonly string[]): void {
  const most = 128;
  for (let at = 0; at < keys.length; at += most) asked(() => storageDeleteMany(keys.slice(at, at + most)));
}

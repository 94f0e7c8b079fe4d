/** The room's storage, timers, alarm and log. */

import type {
  DurableObjectGetOptions,
  DurableObjectListOptions,
  DurableObjectPutOptions,
  DurableObjectTransaction,
} from "./durable.js";
import type { Awaitable } from "./index.js";

/**
 * The room's own keys and values. Reads see this turn's own writes. Writes commit with the turn or not at all, and the host
 * sends no emit of the turn before they are durable.
 *
 * Values are JSON. A key has 1 to 512 bytes, a value up to 128 KiB, a room's storage up to 16 MiB, and the writes of a turn
 * up to 4 MiB. A write past that throws `limit-exceeded` and changes nothing. The functions for many keys take up to 128
 * keys and read or write up to 1 MiB; they only save calls. Only `get` may name a key twice.
 */
export interface Storage {
  /** The value of a key, or `undefined`. Fails with `json` if it is not JSON. */
  get<T = any>(key: string, options?: DurableObjectGetOptions): Promise<T | undefined>;
  /** The values of those of the keys that have one, in the order of the keys. */
  get<T = any>(keys: readonly string[], options?: DurableObjectGetOptions): Promise<Map<string, T>>;
  /** Sets the value of a key. Fails with `invalid` if JSON cannot express it, such as `undefined`. */
  put<T>(key: string, value: T, options?: DurableObjectPutOptions): Promise<void>;
  /** Sets the values of many keys. If it fails, it sets none. */
  put<T>(entries: Readonly<Record<string, T>>, options?: DurableObjectPutOptions): Promise<void>;
  /** Removes a key. Returns whether it had a value. */
  delete(key: string, options?: DurableObjectPutOptions): Promise<boolean>;
  /** Removes many keys. Returns how many of them had a value. */
  delete(keys: readonly string[], options?: DurableObjectPutOptions): Promise<number>;
  /** The entries of a range in ascending order of their keys' bytes; all of them unless `limit` is given. */
  list<T = any>(range?: DurableObjectListOptions): Promise<Map<string, T>>;
  /** Removes all keys. The alarm stays. */
  deleteAll(options?: DurableObjectPutOptions): Promise<void>;
  /**
   * Runs `body`, and undoes what it wrote by `txn` if it fails or calls `txn.rollback()`; emits of the turn stay. A turn is a
   * transaction itself: this is for a part of one that may fail alone. Transactions of a turn run one after another, so that
   * one within another never begins, and its turn fails.
   */
  transaction<T>(body: (txn: DurableObjectTransaction) => Awaitable<T>): Promise<T>;
  /** When the room's alarm is due, or `null`; see {@link Alarm}. */
  getAlarm(options?: DurableObjectGetOptions): Promise<number | null>;
  /** Sets the room's alarm. */
  setAlarm(at: number | Date, options?: DurableObjectPutOptions): Promise<void>;
  /** Cancels the room's alarm. */
  deleteAlarm(options?: DurableObjectPutOptions): Promise<void>;
  /** Does nothing: nobody hears of a turn before its writes are durable. */
  sync(): Promise<void>;
  /**
   * One page of a range: up to `limit` entries (1 to 1,000; 100 by default). It may hold fewer and still have a `next`, since a
   * page ends at 256 KiB.
   */
  page<T = any>(range?: ListRange): Promise<Page<T>>;
  /** The bytes of a key, or `undefined`. */
  getBytes(key: string): Promise<Uint8Array | undefined>;
  /** Sets the value of a key to these bytes, whatever they are. */
  putBytes(key: string, value: Uint8Array): Promise<void>;
}

/** Which entries of the storage. */
export interface ListRange {
  /** How the keys begin. Without it, all keys count. */
  prefix?: string;
  /** Only keys behind this one. */
  after?: string;
  /** Only this key and those behind it. Not for `page`. */
  start?: string;
  /** As `after`. Not for `page`. */
  startAfter?: string;
  /** Only keys before this one. Not for `page`. */
  end?: string;
  /** The last key first. Not for `page`. */
  reverse?: boolean;
  /** How many entries at most. */
  limit?: number;
}

/** A part of a listing. */
export interface Page<T = any> {
  /** The entries, in ascending order of their keys' bytes. */
  entries: [key: string, value: T][];
  /** Pass this as `after` to get the next page. `undefined` on the last page. */
  next: string | undefined;
}

/**
 * The room's timers, by name. Each runs once, in a turn of its own: `room.onTimer`. Setting and cancelling are effects of
 * the turn. Timers survive the plugin's instance, its crash and a swap, but not a restart of the server. Up to 64 a room.
 */
export interface Timers {
  /**
   * Sets a timer that rings once, `delayMs` after this turn: 0 to 2^32-1, rounded up. It replaces a timer of the same name (1
   * to 128 bytes). `data` may have 4 KiB of JSON.
   */
  set(name: string, delayMs: number, data?: unknown): void;
  /** Cancels a timer. Returns whether it was set. */
  cancel(name: string): boolean;
}

/**
 * The room's one alarm, as durable as its storage: `onAlarm` runs when it is due, also after a crash or a restart of the
 * server, and even if nobody is in the room. Setting and cancelling are effects of the turn.
 */
export interface Alarm {
  /** Sets it to a time (milliseconds since the Unix epoch), in place of the alarm that is set. If that is past, it rings at once. */
  set(at: number | Date): void;
  /** When it is due, with this turn's own changes. In `onAlarm` the alarm that rings counts as not set. */
  get(): number | undefined;
  /** Cancels it, if it is set. */
  cancel(): void;
}

/**
 * The plugin's log. The host adds tenant, plugin, version and room. A turn may write 64 lines of up to 1 KiB, which stay even
 * if the turn is undone. Values look as `console` writes them.
 */
export interface Log {
  /** Logs details that help to find a fault. */
  debug(...values: unknown[]): void;
  /** Logs what is worth knowing. */
  info(...values: unknown[]): void;
  /** Logs that something looks wrong. */
  warn(...values: unknown[]): void;
  /** Logs that something went wrong. */
  error(...values: unknown[]): void;
}

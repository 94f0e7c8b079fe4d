/** The room's storage, timers, alarm and log. */

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
  get<T = any>(key: string): Promise<T | undefined>;
  /** The values of those of the keys that have one, in the order of the keys. */
  get<T = any>(keys: readonly string[]): Promise<Map<string, T>>;
  /** Sets the value of a key. Fails with `invalid` if JSON cannot express it, such as `undefined`. */
  put(key: string, value: unknown): Promise<void>;
  /** Sets the values of many keys. If it fails, it sets none. */
  put(entries: Readonly<Record<string, unknown>>): Promise<void>;
  /** Removes a key. Returns whether it had a value. */
  delete(key: string): Promise<boolean>;
  /** Removes many keys. Returns how many of them had a value. */
  delete(keys: readonly string[]): Promise<number>;
  /** The entries of a range in ascending order of their keys' bytes; all of them unless `limit` is given. */
  list<T = any>(range?: ListRange): Promise<Map<string, T>>;
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

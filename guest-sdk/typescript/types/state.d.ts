/** What a room keeps, and what is to run later. */

/**
 * The room's own keys and values. Reads see this turn's own writes; writes commit with the turn or not at all, and no
 * emit of the turn leaves before they are durable.
 *
 * Values are JSON. A key is 1 to 512 bytes, a value up to 128 KiB, a room's storage up to 16 MiB, the writes of a turn up
 * to 4 MiB; a write past that is refused with `limit-exceeded` and changes nothing. The forms with many keys take up to 128
 * of them, each once, and read or write up to 1 MiB; they save calls, and nothing else.
 */
export interface Storage {
  /** The value of a key, or `undefined`. Fails with `json` where it is not JSON. */
  get<T = any>(key: string): Promise<T | undefined>;
  /** The values of those of the keys that have one, in the order of the keys. */
  get<T = any>(keys: readonly string[]): Promise<Map<string, T>>;
  /** Sets the value of a key. Fails with `invalid` where JSON has no form of it, such as `undefined`. */
  put(key: string, value: unknown): Promise<void>;
  /** Sets the values of many keys, or of none of them. */
  put(entries: Readonly<Record<string, unknown>>): Promise<void>;
  /** Removes a key; says whether it was there. */
  delete(key: string): Promise<boolean>;
  /** Removes many keys; says how many of them were there. */
  delete(keys: readonly string[]): Promise<number>;
  /** The entries of a range in ascending order of their keys' bytes, all of them where `limit` is not given. */
  list<T = any>(range?: ListRange): Promise<Map<string, T>>;
  /**
   * One page of a range: up to `limit` entries (1 to 1,000, 100 where it is not given). It may hold fewer and still
   * have a `next`: a page ends early at 256 KiB.
   */
  page<T = any>(range?: ListRange): Promise<Page<T>>;
  /** The bytes of a key, or `undefined`. */
  getBytes(key: string): Promise<Uint8Array | undefined>;
  /** Sets the value of a key to these bytes, whatever they are. */
  putBytes(key: string, value: Uint8Array): Promise<void>;
}

/** Which entries of the storage. */
export interface ListRange {
  /** How the keys begin; all keys where it is not given. */
  prefix?: string;
  /** Only keys behind this one. */
  after?: string;
  /** At most so many entries. */
  limit?: number;
}

/** A part of a listing. */
export interface Page<T = any> {
  /** The entries, in ascending order of their keys' bytes. */
  entries: [key: string, value: T][];
  /** Give this as `after` for the next part; `undefined` where this was the last. */
  next: string | undefined;
}

/**
 * The room's timers, by name. Each runs once, in a turn of its own: `room.onTimer`. Setting and cancelling are effects of
 * the turn. Timers survive the plugin's instance, its crash and a swap, but not a restart of the server. Up to 64 a room.
 */
export interface Timers {
  /**
   * Lets a timer run once, so many milliseconds after this turn: 0 to 2^32-1, a part of a millisecond counts as a whole
   * one. One of the same name (1 to 128 bytes) is replaced. `data` is up to 4 KiB of JSON.
   */
  set(name: string, delayMs: number, data?: unknown): void;
  /** Forgets a timer; says whether it was set. */
  cancel(name: string): boolean;
}

/**
 * The room's one alarm, as durable as its storage: `onAlarm` runs when it is due, also after a crash or a restart of the
 * server, and also where nobody is in the room. Setting and cancelling are effects of the turn.
 */
export interface Alarm {
  /** Sets it to a time (milliseconds since the Unix epoch); at once where that is past. It replaces an alarm that is set. */
  set(at: number | Date): void;
  /** When it is due, with this turn's own change. In `onAlarm` the alarm that is running is not set any more. */
  get(): number | undefined;
  /** Forgets it; nothing happens where none is set. */
  cancel(): void;
}

/**
 * The plugin's log, which the host keeps with tenant, plugin, version and room. A turn keeps 64 lines of up to 1 KiB, also
 * where it is undone. Values are written as `console` writes them.
 */
export interface Log {
  /** For whoever looks for a fault. */
  debug(...values: unknown[]): void;
  /** Worth knowing. */
  info(...values: unknown[]): void;
  /** Something looks wrong. */
  warn(...values: unknown[]): void;
  /** Something went wrong. */
  error(...values: unknown[]): void;
}

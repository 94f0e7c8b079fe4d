/** What was said lately to channels. */

/** How much of what is said to a channel is kept, and where; all of it may be left out. */
export interface Keeping {
  /** How many entries: 1 to 1,000, 100 without it. */
  entries?: number;
  /** For how long an entry is kept at most: up to 30 days, a day without it. */
  ttlMs?: number;
  /**
   * Whether the entries are in the room's storage, so that a restart of the server does not lose them; then an emit to the channel
   * is a write. Else they are in memory, and outlive the instance, but not the room.
   */
  durable?: boolean;
}

/** What was said to the channels whose history is kept. */
export interface History {
  /**
   * What was said to a channel behind a position, the oldest first, this turn's own included; from the oldest entry on without one.
   * Throws `invalid` for a channel that is not kept.
   */
  read<T = any>(channel: string, options?: ReadOptions): HistoryPage<T>;
  /** The position of the last thing that was said to a channel. Throws `invalid` for a channel that is not kept. */
  position(channel: string): string;
}

/** Which part of a history. */
export interface ReadOptions {
  /** The position behind which it begins. */
  after?: string;
  /** How many entries at most: 1 to 1,000, 100 without it. */
  limit?: number;
}

/** A part of a history. It may have fewer entries than were asked for, and others follow: none follow where it has none. */
export interface HistoryPage<T = any> {
  entries: Said<T>[];
  /** Whether these and the following are all that was said behind the position that was asked for; true where none was. */
  recovered: boolean;
}

/** Something that was said to a channel. */
export interface Said<T = any> {
  /** Where it stands: a text to keep and to give back, not to look into. */
  position: string;
  /** The event's name. */
  event: string;
  /** Its data. Bytes that came with JSON are `{"base64": "..."}` in it. */
  data: T;
  /** When it was said, in milliseconds since the Unix epoch. */
  at: number;
}

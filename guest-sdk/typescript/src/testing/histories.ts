/** What was said lately to the channels of a test room. */

import { filled } from "../placeholders.js";
import type { ContractHistory, ContractSaid, Payload } from "../host.js";
import {
  bytesOf,
  checkName,
  exceeded,
  HISTORY_ANSWER_BYTES,
  HISTORY_BYTES,
  HISTORY_CHANNELS,
  HISTORY_ENTRIES,
  HISTORY_TTL_MS,
  invalid,
  payloadBytes,
} from "./bounds.js";
import { eventFrame, inBase64, type Arrival, type Body } from "./frames.js";

/** How a plugin wants a channel's history to be kept. */
export interface Keep {
  readonly channel: string;
  readonly entries: number;
  readonly ttlMs: number;
  readonly durable: boolean;
}

/** A channel of which a client that comes back wants to hear what it missed, and up to where it heard all. */
export interface Since {
  readonly channel: string;
  readonly after: string | null;
}

interface Entry {
  readonly seq: number;
  readonly event: string;
  readonly body: Body;
  readonly at: number;
}

/** What the server adds to the bytes of an entry. */
const PLACE_BYTES = 160;
/** A page ends early at this many bytes. */
const PAGE_BYTES = 256 << 10;

function entryBytes({ event, body }: Entry): number {
  const attached = body.attachments.reduce((sum, bytes) => sum + bytes.length, 0);
  return PLACE_BYTES + bytesOf(event) + payloadBytes(body.payload) + attached;
}

/** The history of a channel. Its entries have consecutive numbers up to that of the last. */
class Ring {
  entries: readonly Entry[] = [];
  last = 0;

  constructor(
    readonly keep: Keep,
    readonly epoch: string,
  ) {}

  /** The same entries, kept in another way. */
  with(keep: Keep): Ring {
    const ring = new Ring(keep, this.epoch);
    [ring.entries, ring.last] = [this.entries, this.last];
    return ring;
  }

  position(seq = this.last): string {
    return `${this.epoch}.${seq}`;
  }

  say(event: string, body: Body, at: number): string {
    this.last += 1;
    const entries = [...this.live(at), { seq: this.last, event, body, at }].slice(-this.keep.entries);
    let bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    while (bytes > HISTORY_BYTES) bytes -= entryBytes(entries.shift()!);
    this.entries = entries;
    return this.position();
  }

  live(now: number): Entry[] {
    return this.entries.filter(({ at }) => now - at <= this.keep.ttlMs).slice(-this.keep.entries);
  }

  /** All that is kept behind a position, and whether nothing is missing. */
  read(after: string | null, now: number): { entries: Entry[]; recovered: boolean } {
    const entries = this.live(now);
    if (after === null) return { entries, recovered: true };
    const place = after.lastIndexOf(".");
    const seq = after.slice(0, place) === this.epoch && /^\d+$/.test(after.slice(place + 1)) ? Number(after.slice(place + 1)) : NaN;
    if (!(seq <= this.last)) return { entries, recovered: false };
    const first = entries[0]?.seq ?? this.last + 1;
    return { entries: entries.filter((entry) => entry.seq > seq), recovered: first <= seq + 1 };
  }
}

/** The histories of a room. A turn works on a copy, which replaces the original when it commits. */
export class Histories {
  #rings = new Map<string, Ring>();
  /** Shared with the copies: no epoch is given twice. */
  #epochs = { last: 0 };

  copy(): Histories {
    const copy = new Histories();
    for (const [channel, ring] of this.#rings) copy.#rings.set(channel, ring.with(ring.keep));
    copy.#epochs = this.#epochs;
    return copy;
  }

  /** From now on these channels are kept, and no others. */
  keepOnly(keeps: Iterable<Keep>): void {
    const before = this.#rings;
    this.#rings = new Map();
    for (const keep of keeps) {
      const known = before.get(keep.channel);
      const isSame = known !== undefined && known.keep.durable === keep.durable;
      this.#rings.set(keep.channel, isSame ? known.with(keep) : new Ring(keep, this.#newEpoch()));
    }
  }

  /** Begins another process of the server: what was in memory is gone. */
  restart(): void {
    for (const [channel, { keep }] of this.#rings) if (!keep.durable) this.#rings.set(channel, new Ring(keep, this.#newEpoch()));
  }

  /** Whether the room's storage has anything of them. */
  isStored(): boolean {
    return [...this.#rings.values()].some(({ keep, entries }) => keep.durable && entries.length > 0);
  }

  #newEpoch(): string {
    this.#epochs.last += 1;
    return `t${this.#epochs.last}`;
  }

  /** Says something to a channel; where it stands, if the channel is kept. */
  say(channel: string, event: string, body: Body, now: number): string | undefined {
    return this.#rings.get(channel)?.say(event, body, now);
  }

  read(channel: string, after: string | null, limit: number, now: number): ContractHistory {
    if (limit < 1 || limit > HISTORY_ENTRIES) throw invalid(`limit must be 1 to ${HISTORY_ENTRIES}, not ${limit}`);
    const ring = this.#of(channel);
    const { entries, recovered } = ring.read(after, now);
    const page: ContractSaid[] = [];
    let bytes = 0;
    for (const entry of entries.slice(0, limit)) {
      bytes += entryBytes(entry);
      if (bytes > PAGE_BYTES && page.length > 0) break;
      page.push({ position: ring.position(entry.seq), event: entry.event, data: dataOf(entry.body), at: entry.at });
    }
    return { entries: page, recovered };
  }

  position(channel: string): string {
    return this.#of(channel).position();
  }

  #of(channel: string): Ring {
    const ring = this.#rings.get(channel);
    if (ring === undefined) throw invalid(`the history of the channel ${JSON.stringify(channel)} is not kept: keep it in \`init\``);
    return ring;
  }

  /** What a client that comes back hears: first what it missed of channels that it is in, then what it is not told of thereby. */
  withMissed(arrivals: readonly Arrival[], since: readonly Since[], channels: readonly string[], now: number): Arrival[] {
    const asked = new Set(since.map(({ channel }) => channel));
    const isMissed = ({ frame }: Arrival) => frame.type === "event" && frame.at !== undefined && asked.has(frame.channel);
    const missed = since.map(({ channel, after }): Arrival => {
      const ring = channels.includes(channel) ? this.#rings.get(channel) : undefined;
      if (ring === undefined) return { frame: { type: "history", channel, recovered: false, frames: [] } };
      const { entries, recovered: isWhole } = ring.read(after, now);
      const told = newest(entries);
      const recovered = isWhole && told.length === entries.length;
      const frames = told.map(({ seq, event, body }) => eventFrame(channel, event, body, { at: ring.position(seq) }).frame);
      return { frame: { type: "history", channel, recovered, frames } };
    });
    return [...missed, ...arrivals.filter((arrival) => !isMissed(arrival))];
  }
}

/** The newest of the entries that a client is told at most. */
function newest(entries: readonly Entry[]): Entry[] {
  let left = HISTORY_ANSWER_BYTES;
  const oldest = entries.findLastIndex((entry) => (left -= entryBytes(entry)) < 0);
  return entries.slice(oldest + 1);
}

/** The data of an entry, with its bytes in the places that name them. */
function dataOf({ payload, attachments }: Body): Payload {
  if (payload.tag === "binary" || attachments.length === 0) return payload;
  return { tag: "json", val: JSON.stringify(filled(JSON.parse(payload.val), attachments.map(inBase64))) };
}

/** Adds what an instance asks for while it begins. */
export function keep(keeps: Map<string, Keep>, { channel, entries, ttlMs, durable }: Keep): void {
  checkName("the channel", channel);
  if (entries < 1 || ttlMs < 1) throw invalid("a history keeps 1 entry for 1 ms, or more");
  if (entries > HISTORY_ENTRIES) throw exceeded("history-entries");
  if (ttlMs > HISTORY_TTL_MS) throw exceeded("history-ttl-ms");
  if (keeps.size >= HISTORY_CHANNELS && !keeps.has(channel)) throw exceeded("history-channels");
  keeps.set(channel, { channel, entries, ttlMs, durable });
}

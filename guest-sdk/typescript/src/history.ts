/** What was said lately to channels. */

import type { HistoryPage, Keeping, ReadOptions } from "../types/index.js";
import { RoomError, asked, refusal } from "./errors.js";
import { historyKeep, historyPosition, historyRead, type ContractSaid } from "./host.js";
import { needText } from "./payload.js";

const ENTRIES = 100;
const TTL_MS = 24 * 3_600_000;
const READ = 100;

/** What `room.keepHistory` was given, until the host can be asked for it. */
const kept: { channel: string; entries: number; ttlMs: number; durable: boolean }[] = [];
let started = false;

export function keepHistory(channel: string, { entries = ENTRIES, ttlMs = TTL_MS, durable = false }: Keeping = {}): void {
  needText(channel, "a channel");
  if (started) throw new RoomError("invalid", "room.keepHistory is for the top level of the module and for onStart, and not for handlers");
  const whole = Math.ceil(ttlMs);
  kept.push({ channel, entries: count(entries, "entries"), ttlMs: count(whole, "ttlMs"), durable: durable === true });
}

/** Whether the top level asked for any. */
export function isAsked(): boolean {
  return kept.length > 0;
}

/** Asks the host for what the top level said. */
export function start(): void {
  started = true;
  for (const { channel, entries, ttlMs, durable } of kept) {
    try {
      historyKeep(channel, entries, ttlMs, durable);
    } catch (thrown) {
      throw new Error(`cannot keep the history of the channel ${JSON.stringify(channel)}`, { cause: refusal(thrown) });
    }
  }
}

export const history = {
  read(channel: string, { after, limit = READ }: ReadOptions = {}): HistoryPage {
    needText(channel, "a channel");
    const behind = after === undefined || after === null ? null : needText(after, "a position");
    const most = count(limit, "limit");
    const { entries, recovered } = asked(() => historyRead(channel, behind, most));
    return { entries: entries.map(saidOf), recovered };
  },

  position(channel: string): string {
    needText(channel, "a channel");
    return asked(() => historyPosition(channel));
  },
};

function saidOf({ position, event, data, at }: ContractSaid): HistoryPage["entries"][number] {
  return { position, event, data: data.tag === "json" ? JSON.parse(data.val) : data.val, at };
}

/** A number as the contract takes it: the host says which it allows. */
export function count(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  throw new RoomError("invalid", `${what} must be a whole number, not ${String(value)}`);
}

/** The entries of a range of the storage. */

import type { ListRange } from "../types/index.js";
import { RoomError } from "./errors.js";
import { storageGet, storageScan } from "./host.js";
import { needText } from "./payload.js";

/** How many entries are asked for at once where all are wanted; a page ends at 256 KiB anyway. */
const ENTRIES_PER_PAGE = 256;

type Found = [key: string, value: Uint8Array];

export function needLimit(limit: unknown): void {
  if (limit === undefined || (Number.isInteger(limit) && (limit as number) >= 0 && (limit as number) < 2 ** 32)) return;
  throw new RoomError("invalid", "the limit of a listing must be a whole number");
}

/** What a range holds: ascending, or descending where it is reversed. */
export function entriesOf(range: ListRange): Found[] {
  needLimit(range.limit);
  for (const name of ["start", "startAfter", "after", "end"] as const) {
    if (range[name] !== undefined) needText(range[name], `\`${name}\` of a listing`);
  }
  const { limit = Infinity, reverse = false } = range;
  if (range.start !== undefined && behindOf(range) !== undefined) {
    throw new RoomError("invalid", "a listing begins at `start` or behind `startAfter`");
  }
  const found: Found[] = [];
  for (const entry of ascending(range, reverse ? Infinity : limit)) {
    if (range.end !== undefined && byBytes(entry[0], range.end) >= 0) break;
    if (found.length === limit && !reverse) break;
    found.push(entry);
    // Of a reversed listing the last are the first.
    if (reverse && found.length > limit) found.shift();
  }
  return reverse ? found.reverse() : found;
}

/** All keys. Their values go page by page: together they may be more than an instance holds. */
export function allKeys(): string[] {
  return Array.from(ascending({}, Infinity), ([key]) => key);
}

function behindOf({ startAfter, after }: ListRange): string | undefined {
  return startAfter ?? after;
}

/** The entries from the range's begin on, as they are asked for. */
function* ascending(range: ListRange, wanted: number): Generator<Found> {
  if (wanted === 0) return;
  const prefix = needText(range.prefix ?? "", "a prefix");
  let after = behindOf(range) ?? range.start ?? null;
  // The host begins behind a key, not at it.
  if (range.start !== undefined && range.start !== "" && range.start.startsWith(prefix)) {
    const first = storageGet(range.start);
    if (first !== null) yield [range.start, first];
  }
  for (;;) {
    const page = storageScan(prefix, after === "" ? null : after, Math.min(ENTRIES_PER_PAGE, wanted));
    for (const { key, value } of page.entries) yield [key, value];
    if (page.next === null || page.next === undefined) return;
    after = page.next;
  }
}

/** The order of keys, which is that of the bytes of their UTF-8: that of code points, not of JavaScript's units. */
function byBytes(a: string, b: string): number {
  const [left, right] = [a[Symbol.iterator](), b[Symbol.iterator]()];
  for (;;) {
    const [one, other] = [left.next(), right.next()];
    if (one.done || other.done) return Number(other.done ?? false) - Number(one.done ?? false);
    const difference = one.value.codePointAt(0)! - other.value.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
}

/** The room's own keys and values. */

import type { ListRange, Page } from "../types/index.js";
import { RoomError, refusal } from "./errors.js";
import {
  storageDelete,
  storageDeleteMany,
  storageGet,
  storageGetMany,
  storagePut,
  storagePutMany,
  storageScan,
} from "./host.js";
import { jsonText, needText } from "./payload.js";
import { fromUtf8, toUtf8 } from "./text.js";

/** How many entries are asked for at once where all are wanted; a page ends at 256 KiB anyway. */
const ENTRIES_PER_PAGE = 256;
/** How many entries a page has that says no number. */
const ENTRIES_OF_PAGE = 100;

const KEY = "a key of the storage";

/** The host answers at once; the promise is for the shape of the call. */
function promised<T>(call: () => T): Promise<T> {
  try {
    return Promise.resolve(call());
  } catch (thrown) {
    return Promise.reject(refusal(thrown));
  }
}

function parse(key: string, value: Uint8Array): any {
  try {
    return JSON.parse(fromUtf8(value));
  } catch (cause) {
    throw new RoomError("json", `what is stored under ${JSON.stringify(key)} is not JSON`, { cause });
  }
}

/** What is stored under one key: what handlers ask most does without a closure a call. */
function stored(key: string, convert: (key: string, value: Uint8Array) => unknown): Promise<any> {
  try {
    const value = storageGet(needText(key, KEY));
    return Promise.resolve(value === null ? undefined : convert(key, value));
  } catch (thrown) {
    return Promise.reject(refusal(thrown));
  }
}

function asTheyAre(_key: string, value: Uint8Array): Uint8Array {
  return value;
}

function bytes(value: unknown): Uint8Array {
  return toUtf8(jsonText(value, "a value of the storage"));
}

function texts(keys: readonly unknown[]): string[] {
  return keys.map((key) => needText(key, KEY));
}

function scan(range: ListRange, after: string | undefined, limit: number): Page {
  const { entries, next } = storageScan(needText(range.prefix ?? "", "a prefix"), after ?? null, limit);
  return { entries: entries.map(({ key, value }) => [key, parse(key, value)]), next: next ?? undefined };
}

function needLimit(limit: unknown): void {
  if (limit === undefined || (Number.isInteger(limit) && (limit as number) >= 0 && (limit as number) < 2 ** 32)) return;
  throw new RoomError("invalid", "the limit of a listing must be a whole number");
}

export const storage = {
  get(key: string | readonly string[]): Promise<any> {
    if (!Array.isArray(key)) return stored(key as string, parse);
    return promised(() => {
      const found = new Map<string, any>();
      storageGetMany(texts(key)).forEach((value, at) => {
        if (value !== null) found.set(key[at], parse(key[at], value));
      });
      return found;
    });
  },

  put(key: string | Readonly<Record<string, unknown>>, value?: unknown): Promise<void> {
    return promised(() => {
      if (typeof key === "object" && key !== null) {
        storagePutMany(Object.entries(key).map(([name, entry]) => ({ key: name, value: bytes(entry) })));
      } else {
        storagePut(needText(key, KEY), bytes(value));
      }
    });
  },

  delete(key: string | readonly string[]): Promise<any> {
    return promised(() => (Array.isArray(key) ? storageDeleteMany(texts(key)) : storageDelete(needText(key, KEY))));
  },

  list(range: ListRange = {}): Promise<Map<string, any>> {
    return promised(() => {
      needLimit(range.limit);
      const found = new Map<string, any>();
      const wanted = range.limit ?? Infinity;
      let after = range.after;
      while (found.size < wanted) {
        const page = scan(range, after, Math.min(ENTRIES_PER_PAGE, wanted - found.size));
        for (const [key, value] of page.entries) found.set(key, value);
        if (page.next === undefined) break;
        after = page.next;
      }
      return found;
    });
  },

  page(range: ListRange = {}): Promise<Page> {
    return promised(() => {
      needLimit(range.limit);
      return scan(range, range.after, range.limit ?? ENTRIES_OF_PAGE);
    });
  },

  getBytes(key: string): Promise<Uint8Array | undefined> {
    return stored(key, asTheyAre);
  },

  putBytes(key: string, value: Uint8Array): Promise<void> {
    return promised(() => {
      if (!(value instanceof Uint8Array)) throw new RoomError("invalid", "putBytes takes a Uint8Array");
      storagePut(needText(key, KEY), value);
    });
  },
};

/** The room's own keys and values: with the names, and the meaning, of a Durable Object's storage. */

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
  storedGet,
  storedPut,
} from "./host.js";
import { allKeys, entriesOf, needLimit } from "./listing.js";
import { jsonText, needText } from "./payload.js";
import { fromUtf8, toUtf8 } from "./text.js";
import { alarm } from "./timers.js";
import { deleteKeys, Open, transaction, type Journal } from "./transaction.js";

/** How many entries a page has that says no number. */
const ENTRIES_OF_PAGE = 100;

const KEY = "a key of the storage";

/** The host answers at once; the promise is for the shape of the call. */
export function promised<T>(call: () => T): Promise<T> {
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

/** What is stored under one key. */
function stored(key: string, convert: (key: string, value: Uint8Array) => unknown): Promise<any> {
  return promised(() => {
    const value = storageGet(needText(key, KEY));
    return value === null ? undefined : convert(key, value);
  });
}

function bytes(value: unknown): Uint8Array {
  return toUtf8(jsonText(value, "a value of the storage"));
}

function texts(keys: readonly unknown[]): string[] {
  return keys.map((key) => needText(key, KEY));
}

function isMany(key: unknown): key is Readonly<Record<string, unknown>> {
  return typeof key === "object" && key !== null;
}

/** What a storage and a transaction have in common. The options of a Durable Object's storage change nothing here. */
class Entries {
  /** `_journal` hears of writes before they happen; only a transaction has one. */
  constructor(readonly _journal?: Journal) {}

  get(key: string | readonly string[]): Promise<any> {
    if (!Array.isArray(key)) return stored(key as string, parse);
    return promised(() => {
      const found = new Map<string, any>();
      storageGetMany(texts(key)).forEach((value, at) => {
        if (value !== null) found.set(key[at], parse(key[at], value));
      });
      return found;
    });
  }

  put(key: string | Readonly<Record<string, unknown>>, value?: unknown): Promise<void> {
    return promised(() => {
      if (isMany(key)) {
        const entries = Object.entries(key).map(([name, entry]) => ({ key: name, value: bytes(entry) }));
        this._journal?.writes(Object.keys(key));
        storagePutMany(entries);
      } else {
        const entry = bytes(value);
        this._journal?.writes([needText(key, KEY)]);
        storagePut(needText(key, KEY), entry);
      }
    });
  }

  delete(key: string | readonly string[]): Promise<any> {
    return promised(() => {
      const keys = texts(Array.isArray(key) ? key : [key]);
      this._journal?.writes(keys);
      return Array.isArray(key) ? storageDeleteMany(keys) : storageDelete(keys[0]!);
    });
  }

  list(range: ListRange = {}): Promise<Map<string, any>> {
    return promised(() => new Map(entriesOf(range ?? {}).map(([key, value]) => [key, parse(key, value)])));
  }

  deleteAll(): Promise<void> {
    return promised(() => {
      const keys = allKeys();
      this._journal?.writes(keys);
      deleteKeys(keys);
    });
  }

  getAlarm(): Promise<number | null> {
    return promised(() => alarm.get() ?? null);
  }

  setAlarm(at: number | Date): Promise<void> {
    return promised(() => {
      this._journal?.alarms();
      alarm.set(at);
    });
  }

  deleteAlarm(): Promise<void> {
    return promised(() => {
      this._journal?.alarms();
      alarm.cancel();
    });
  }
}

/** What the function of `storage.transaction` is given. */
class Transaction extends Entries {
  readonly _open: Open;

  constructor(open: Open) {
    super(open);
    this._open = open;
  }

  rollback(): void {
    this._open.need();
    this._open.undo();
  }
}

// Once a transaction is over, none of its functions does anything.
for (const name of ["get", "put", "delete", "list", "deleteAll", "getAlarm", "setAlarm", "deleteAlarm"] as const) {
  const run = Entries.prototype[name] as (this: Entries, ...args: any[]) => Promise<any>;
  Object.defineProperty(Transaction.prototype, name, {
    value(this: Transaction, ...args: unknown[]) {
      try {
        this._open.need();
      } catch (error) {
        return promised(() => {
          throw error;
        });
      }
      return run.apply(this, args);
    },
  });
}

class Storage extends Entries {
  transaction<T>(body: (txn: Transaction) => T | PromiseLike<T>): Promise<T> {
    const open = new Open();
    return transaction(open, new Transaction(open), body);
  }

  /** What a turn wrote is durable before anybody hears of it. */
  sync(): Promise<void> {
    return promised(() => undefined);
  }

  page(range: ListRange = {}): Promise<Page> {
    return promised(() => {
      needLimit(range.limit);
      const after = range.after ?? null;
      const found = storageScan(needText(range.prefix ?? "", "a prefix"), after, range.limit ?? ENTRIES_OF_PAGE);
      const entries = found.entries.map(({ key, value }): [string, any] => [key, parse(key, value)]);
      return { entries, next: found.next ?? undefined };
    });
  }

  getBytes(key: string): Promise<Uint8Array | undefined> {
    return stored(key, (_, value) => value);
  }

  putBytes(key: string, value: Uint8Array): Promise<void> {
    return promised(() => {
      if (!(value instanceof Uint8Array)) throw new RoomError("invalid", "putBytes takes a Uint8Array");
      storagePut(needText(key, KEY), value);
    });
  }
}

/** What the engine calls for keys and values that it does not read and write itself. */
export const { get, put } = Entries.prototype;
Object.defineProperty(Storage.prototype, "get", { value: storedGet });
Object.defineProperty(Storage.prototype, "put", { value: storedPut });

export const storage = new Storage();

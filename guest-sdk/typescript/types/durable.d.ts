/** The room's storage under the names of a Durable Object's. */

import type { ListRange, Storage } from "./state.js";

/** Options that a Durable Object's storage has. They change nothing: a turn sees its own writes, and nobody hears of it before they are durable. */
export interface DurableObjectGetOptions {
  allowConcurrency?: boolean;
  noCache?: boolean;
}

/** As {@link DurableObjectGetOptions}. */
export interface DurableObjectPutOptions extends DurableObjectGetOptions {
  allowUnconfirmed?: boolean;
}

/** Which entries. */
export interface DurableObjectListOptions extends ListRange, DurableObjectGetOptions {}

/**
 * What the function of `storage.transaction` is given: the room's storage, until that function ends. The transaction is undone
 * where the function fails; once it is over, each call fails with `invalid`.
 */
export interface DurableObjectTransaction {
  get<T = any>(key: string, options?: DurableObjectGetOptions): Promise<T | undefined>;
  get<T = any>(keys: readonly string[], options?: DurableObjectGetOptions): Promise<Map<string, T>>;
  put<T>(key: string, value: T, options?: DurableObjectPutOptions): Promise<void>;
  put<T>(entries: Readonly<Record<string, T>>, options?: DurableObjectPutOptions): Promise<void>;
  delete(key: string, options?: DurableObjectPutOptions): Promise<boolean>;
  delete(keys: readonly string[], options?: DurableObjectPutOptions): Promise<number>;
  list<T = any>(options?: DurableObjectListOptions): Promise<Map<string, T>>;
  deleteAll(options?: DurableObjectPutOptions): Promise<void>;
  getAlarm(options?: DurableObjectGetOptions): Promise<number | null>;
  setAlarm(at: number | Date, options?: DurableObjectPutOptions): Promise<void>;
  deleteAlarm(options?: DurableObjectPutOptions): Promise<void>;
  /** Undoes what this transaction wrote, and ends it. */
  rollback(): void;
}

/** The room's storage: {@link Storage}, by its other name. */
export interface DurableObjectStorage extends Storage {}

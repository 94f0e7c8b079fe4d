/** The room's keys and values: those that are committed, and what a turn makes of them. */

import type { Entries, Entry } from "../host.js";
import {
  byBytes,
  bytesOf,
  exceeded,
  invalid,
  SCAN_BYTES,
  SCAN_ENTRIES,
  STORAGE_BYTES_PER_CALL,
  STORAGE_BYTES_PER_TURN,
  STORAGE_KEY_BYTES,
  STORAGE_KEYS_PER_CALL,
  STORAGE_ROOM_BYTES,
  STORAGE_VALUE_BYTES,
} from "./bounds.js";

/** How keys begin that the host keeps for itself. */
const RESERVED = "\0parlor/";

/** A write; without a value the key is removed. */
interface Write {
  key: string;
  value: Uint8Array | undefined;
}

/** The keys and values of a room. A turn works on a copy, which replaces the original when it commits. */
export class Storage {
  #entries = new Map<string, Uint8Array>();
  /** Whether `#entries` is also that of the storage that this is a copy of. */
  #shared = false;
  /** The keys in ascending order; none where they changed since they were sorted. */
  #sorted: string[] | undefined;
  /** Bytes of all keys and values. */
  #roomBytes = 0;
  /** The bytes that this turn wrote. A key that it wrote twice counts twice. */
  #writtenBytes = 0;

  /** The copy that a turn works on. */
  ofTurn(): Storage {
    const copy = new Storage();
    copy.#entries = this.#entries;
    copy.#sorted = this.#sorted;
    copy.#shared = true;
    copy.#roomBytes = this.#roomBytes;
    return copy;
  }

  committed(key: string): Uint8Array | undefined {
    return this.#entries.get(key);
  }

  keys(): string[] {
    return (this.#sorted ??= [...this.#entries.keys()].sort(byBytes));
  }

  get(key: string): Uint8Array | null {
    checkKey(key);
    return this.#entries.get(key) ?? null;
  }

  getMany(keys: string[]): (Uint8Array | null)[] {
    checkKeys(keys.length);
    const values = keys.map((key) => this.get(key));
    checkCallBytes(values.reduce((bytes, value) => bytes + (value?.length ?? 0), 0));
    return values;
  }

  put(key: string, value: Uint8Array): void {
    checkValue(value);
    this.#write([{ key, value }]);
  }

  putMany(entries: Entry[]): void {
    checkWrittenKeys(entries.map(({ key }) => key));
    for (const { value } of entries) checkValue(value);
    checkCallBytes(entries.reduce((bytes, { key, value }) => bytes + bytesOf(key) + value.length, 0));
    this.#write(entries);
  }

  delete(key: string): boolean {
    return this.#write([{ key, value: undefined }]) > 0;
  }

  deleteMany(keys: string[]): number {
    checkWrittenKeys(keys);
    return this.#write(keys.map((key) => ({ key, value: undefined })));
  }

  scan(prefix: string, after: string | null, limit: number): Entries {
    if (limit < 1 || limit > SCAN_ENTRIES) throw invalid(`limit must be 1 to ${SCAN_ENTRIES}, not ${limit}`);
    const behind = (key: string) => after === null || byBytes(key, after) > 0;
    const found = this.keys().filter((key) => key.startsWith(prefix) && behind(key));
    const entries: Entry[] = [];
    let bytes = 0;
    for (const key of found) {
      const value = this.#entries.get(key)!;
      const isPast = bytes + value.length > SCAN_BYTES && entries.length > 0;
      if (isPast || entries.length === limit) break;
      bytes += bytesOf(key) + value.length;
      entries.push({ key, value });
    }
    const last = entries.at(-1)?.key ?? null;
    return { entries, next: entries.length < found.length ? last : null };
  }

  /** Writes all of these keys, or refuses and writes none. Returns how many of them had a value. */
  #write(writes: readonly Write[]): number {
    let [roomBytes, writtenBytes, grows] = [this.#roomBytes, this.#writtenBytes, false];
    for (const { key, value } of writes) {
      checkKey(key);
      const size = (content: Uint8Array | undefined) => (content === undefined ? 0 : bytesOf(key) + content.length);
      const [oldBytes, newBytes] = [size(this.#entries.get(key)), size(value)];
      grows ||= newBytes > oldBytes;
      roomBytes += newBytes - oldBytes;
      writtenBytes += bytesOf(key) + (value?.length ?? 0);
    }
    if (grows && roomBytes > STORAGE_ROOM_BYTES) throw exceeded("storage-room-bytes");
    if (writtenBytes > STORAGE_BYTES_PER_TURN) throw exceeded("storage-bytes-per-turn");
    this.#roomBytes = roomBytes;
    this.#writtenBytes = writtenBytes;
    if (this.#shared) this.#entries = new Map(this.#entries);
    this.#shared = false;
    this.#sorted = undefined;
    let replaced = 0;
    for (const { key, value } of writes) {
      if (this.#entries.has(key)) replaced += 1;
      if (value === undefined) this.#entries.delete(key);
      else this.#entries.set(key, value);
    }
    return replaced;
  }
}

function checkKey(key: string): void {
  const bytes = bytesOf(key);
  if (bytes === 0) throw invalid("a key must not be empty");
  if (bytes > STORAGE_KEY_BYTES) throw exceeded("storage-key-bytes");
  if (key.startsWith(RESERVED)) throw invalid("keys that begin with \\0parlor/ are the host's own");
}

function checkValue(value: Uint8Array): void {
  if (value.length > STORAGE_VALUE_BYTES) throw exceeded("storage-value-bytes");
}

/** Checks how many keys one call names: at most 128, and a key as often as it is named. */
function checkKeys(keys: number): void {
  if (keys > STORAGE_KEYS_PER_CALL) throw exceeded("storage-keys-per-call");
}

/** Checks the keys of one call that writes, which names each once. */
function checkWrittenKeys(keys: string[]): void {
  checkKeys(keys.length);
  const twice = keys.find((key, at) => keys.indexOf(key) < at);
  if (twice !== undefined) throw invalid(`the key ${JSON.stringify(twice)} is named twice`);
}

function checkCallBytes(bytes: number): void {
  if (bytes > STORAGE_BYTES_PER_CALL) throw exceeded("storage-bytes-per-call");
}

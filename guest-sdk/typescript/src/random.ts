/** Randomness from the host: the engine's own begins with the same seed in every instance. */

import { asked } from "./errors.js";
import { randomBytes } from "./host.js";
import { needHost } from "./phase.js";

/** The most that one call of the contract gives. */
const BYTES_PER_CALL = 4096;
/** How many bytes are fetched for small wishes: 64 numbers' worth, so that one costs a part of a crossing. */
const POOL_BYTES = 512;

// Empty in the snapshot that all instances begin with, so that no two of them share any of it.
let pool = new Uint8Array(0);
let used = 0;

function fetch(count: number): Uint8Array {
  return asked(() => randomBytes(count));
}

/** The place in `pool` of so many bytes (up to 16) that nobody had before. */
function take(count: number): number {
  if (used + count > pool.length) {
    pool = fetch(POOL_BYTES) as Uint8Array<ArrayBuffer>;
    used = 0;
  }
  used += count;
  return used - count;
}

/** The global `Math.random`. */
export function random(): number {
  needHost("Math.random");
  const at = take(7);
  let high = 0;
  for (let i = 0; i < 6; i += 1) high = high * 256 + pool[at + i]!;
  // 53 bits: all that a number between 0 and 1 can hold.
  return (high * 32 + (pool[at + 6]! & 31)) / 2 ** 53;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** A random UUID of version 4. */
export function uuid(): `${string}-${string}-${string}-${string}-${string}` {
  needHost("crypto.randomUUID");
  const at = take(16);
  const hex = (from: number, to: number) => {
    let text = "";
    for (let i = from; i < to; i += 1) text += HEX[pool[at + i]!];
    return text;
  };
  const version = HEX[(pool[at + 6]! & 0x0f) | 0x40]! + HEX[pool[at + 7]!];
  const variant = HEX[(pool[at + 8]! & 0x3f) | 0x80]! + HEX[pool[at + 9]!];
  return `${hex(0, 4)}-${hex(4, 6)}-${version}-${variant}-${hex(10, 16)}`;
}

/** The global `crypto`. */
export const crypto = {
  randomUUID: uuid,
  getRandomValues<T extends ArrayBufferView>(array: T): T {
    needHost("crypto.getRandomValues");
    if (!ArrayBuffer.isView(array) || /Float|DataView/.test(Object.prototype.toString.call(array))) {
      throw new DOMException("crypto.getRandomValues takes an array of integers", "TypeMismatchError");
    }
    if (array.byteLength > 65_536) {
      throw new DOMException(`crypto.getRandomValues gives up to 65536 bytes a call, not ${array.byteLength}`, "QuotaExceededError");
    }
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let at = 0; at < bytes.length; at += BYTES_PER_CALL) {
      bytes.set(fetch(Math.min(BYTES_PER_CALL, bytes.length - at)), at);
    }
    return array;
  },
};

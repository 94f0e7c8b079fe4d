/** The globals `TextEncoder` and `TextDecoder`. */

import { bytesOfBuffer } from "./bytes.js";
import { fromUtf8, toUtf8 } from "./text.js";

/** Names of UTF-8 that the web knows. */
const LABELS = ["utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8"];

export class TextEncoder {
  get encoding(): "utf-8" {
    return "utf-8";
  }

  encode(text = ""): Uint8Array {
    return toUtf8(String(text));
  }

  encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
    let read = 0;
    let written = 0;
    for (const character of text) {
      const bytes = toUtf8(character);
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

export class TextDecoder {
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /** The begin of a character that the last part of a stream ended in. */
  #rest: Uint8Array = new Uint8Array(0);
  #begun = false;

  constructor(label = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (!LABELS.includes(String(label).trim().toLowerCase())) {
      throw new RangeError(`the encoding ${JSON.stringify(label)} is not supported: only utf-8 is`);
    }
    this.fatal = options.fatal === true;
    this.ignoreBOM = options.ignoreBOM === true;
  }

  get encoding(): "utf-8" {
    return "utf-8";
  }

  decode(input?: ArrayBufferView | ArrayBuffer, { stream = false }: { stream?: boolean } = {}): string {
    let bytes = joined(this.#rest, bytesOf(input));
    const whole = stream ? completeLength(bytes) : bytes.length;
    this.#rest = bytes.slice(whole);
    bytes = bytes.subarray(0, whole);
    let text: string;
    try {
      text = fromUtf8(bytes);
    } catch {
      if (this.fatal) throw new TypeError("these bytes are not UTF-8");
      text = withReplacements(bytes);
    }
    if (!this.#begun && !this.ignoreBOM && text.startsWith("\ufeff")) text = text.slice(1);
    this.#begun = stream && (this.#begun || text !== "" || whole > 0);
    return text;
  }
}

function bytesOf(input: ArrayBufferView | ArrayBuffer | undefined): Uint8Array {
  if (input === undefined) return new Uint8Array(0);
  const bytes = bytesOfBuffer(input);
  if (bytes === undefined) throw new TypeError("TextDecoder takes bytes: an ArrayBuffer or a view of one");
  return bytes;
}

function joined(front: Uint8Array, back: Uint8Array): Uint8Array {
  if (front.length === 0) return back;
  const bytes = new Uint8Array(front.length + back.length);
  bytes.set(front);
  bytes.set(back, front.length);
  return bytes;
}

/** How many bytes a character has that begins with this one, as far as the byte tells. */
function sizeOf(lead: number): number {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc2 ? 2 : 1;
}

/** The bytes without an unfinished character at their end. */
function completeLength(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    return sizeOf(byte) > back && sequence(bytes, bytes.length - back).valid ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** The character, or the longest begin of one, at a place: how many bytes it is, and whether they may begin one. */
function sequence(bytes: Uint8Array, at: number): { length: number; valid: boolean; point: number | undefined } {
  const lead = bytes[at]!;
  if (lead < 0x80) return { length: 1, valid: true, point: lead };
  if (lead < 0xc2 || lead > 0xf4) return { length: 1, valid: false, point: undefined };
  const size = sizeOf(lead);
  let point = lead & (0x7f >> size);
  let length = 1;
  for (; length < size && at + length < bytes.length; length += 1) {
    const next = bytes[at + length]!;
    // Overlong forms, surrogates and what is beyond Unicode show in the second byte.
    const low = length > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = length > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (next < low || next > high) return { length, valid: false, point: undefined };
    point = (point << 6) | (next & 0x3f);
  }
  return { length, valid: true, point: length === size ? point : undefined };
}

function withReplacements(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const { length, point } = sequence(bytes, at);
    text += point === undefined ? "\ufffd" : String.fromCodePoint(point);
    at += length;
  }
  return text;
}

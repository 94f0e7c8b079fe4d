// Bytes as people read and write them: in hex.
import { plural } from "./dom.js";

const SHOWN_MOST = 16;

/** `3 bytes: 00 ff 1b`, with the first ones where there are many. */
export function bytesWords(bytes) {
  const first = Array.from(bytes.subarray(0, SHOWN_MOST), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const size = plural(bytes.length, "byte");
  return bytes.length === 0 ? size : `${size}: ${first}${bytes.length > SHOWN_MOST ? " …" : ""}`;
}

/** The bytes of a text such as `00 ff 1b`, `0x00,0xff` or `00ff1b`; nothing where it is none. */
export function readHex(text) {
  const digits = text.replace(/0x|[\s,:]/gi, "");
  if (!/^([\da-f]{2})*$/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** What base64 stands for; nothing where it is none. */
function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

// What may stand beside `base64` where it is the bytes of a frame, of an event or of a part of its data.
const BESIDE = new Set(["type", "channel", "id", "base64"]);

/** A frame's text with its bytes in words; as it is where it has none. */
export function withBytesInWords(text) {
  if (!text.includes('"base64"')) return text;
  let found = false;
  const frame = JSON.parse(text, function (name, value) {
    const isBytes = name === "base64" && typeof value === "string" && Object.keys(this).every((key) => BESIDE.has(key));
    const bytes = isBytes ? fromBase64(value) : undefined;
    found ||= bytes !== undefined;
    return bytes === undefined ? value : bytesWords(bytes);
  });
  return found ? JSON.stringify(frame) : text;
}

/** An answer as JSON with its bytes in words. */
export function valueWords(value) {
  return JSON.stringify(value, (_name, part) => (part instanceof Uint8Array ? bytesWords(part) : part));
}

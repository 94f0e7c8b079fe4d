// Bytes as people read and write them: in hex.
import { plural } from "./dom.js";

const SHOWN_MOST = 16;
const SHOWN_IN_BASE64 = 24; // characters that have at least those

/** `3 bytes: 00 ff 1b`, with the first ones where there are many. */
export function bytesWords(bytes, size = bytes.length) {
  const first = Array.from(bytes.subarray(0, SHOWN_MOST), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return size === 0 ? "0 bytes" : `${plural(size, "byte")}: ${first}${size > SHOWN_MOST ? " …" : ""}`;
}

/** The bytes of a text such as `00 ff 1b`, `0x00,0xff` or `00ff1b`; nothing where it is none. */
export function readHex(text) {
  const digits = text.replace(/\b0x|[\s,:]/gi, "");
  if (!/^([\da-f]{2})*$/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** What base64 stands for, in words; nothing where the text is none. */
function base64Words(text) {
  if (text.length % 4 > 0 || !/^[A-Za-z\d+/]*={0,2}$/.test(text)) return undefined;
  const padding = text.length - text.replace(/=+$/, "").length;
  const first = Uint8Array.from(atob(text.slice(0, SHOWN_IN_BASE64)), (character) => character.charCodeAt(0));
  return bytesWords(first, (text.length / 4) * 3 - padding);
}

// What may stand beside `base64` where it is the bytes of a frame, of an event or of a part of its data.
const BESIDE = new Set(["type", "channel", "id", "base64"]);

/** A frame's text with its bytes in words; as it is where it has none. */
export function withBytesInWords(text) {
  if (!text.includes('"base64"')) return text;
  let found = false;
  const frame = JSON.parse(text, function (name, value) {
    const isBytes = name === "base64" && typeof value === "string" && Object.keys(this).every((key) => BESIDE.has(key));
    const words = isBytes ? base64Words(value) : undefined;
    found ||= words !== undefined;
    return words ?? value;
  });
  return found ? JSON.stringify(frame) : text;
}

/** An answer as JSON with its bytes in words. */
export function valueWords(value) {
  return JSON.stringify(value, (_name, part) => (part instanceof Uint8Array ? bytesWords(part) : part));
}

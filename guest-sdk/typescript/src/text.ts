/** Text and UTF-8, by the engine's own functions: a loop over every byte would be interpreted. */

/** Below this many units a loop is as fast as the detour through base 64. */
const SHORT = 32;

/** The engine's `Uint8Array` has these; TypeScript's library for ES2025 does not know them yet. */
interface Base64 {
  fromBase64(text: string): Uint8Array;
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

/** Text as UTF-8. Half of a surrogate pair becomes U+FFFD. */
export function toUtf8(text: string): Uint8Array {
  const binary = isAscii(text) ? text : unescape(encodeURIComponent(text.toWellFormed()));
  if (binary.length > SHORT) return (Uint8Array as unknown as Base64).fromBase64(btoa(binary));
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** UTF-8 as text. Throws where it is none. */
export function fromUtf8(bytes: Uint8Array): string {
  const binary =
    bytes.length > SHORT
      ? atob((bytes as Uint8Array & { toBase64(): string }).toBase64())
      : String.fromCharCode(...bytes);
  return isAscii(binary) ? binary : decodeURIComponent(escape(binary));
}

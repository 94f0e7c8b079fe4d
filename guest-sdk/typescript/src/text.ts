/** Text and UTF-8, by the engine's own functions: a loop over every byte, or a spread of them, would be interpreted. */

/** The engine's `Uint8Array` has these; TypeScript's library for ES2025 does not know them yet. */
interface Base64 {
  fromBase64(text: string): Uint8Array;
}

/** Bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  return (bytes as Uint8Array & { toBase64(): string }).toBase64();
}

/** Text as UTF-8. Half of a surrogate pair becomes U+FFFD. */
export function toUtf8(text: string): Uint8Array {
  const binary = /[^\0-\x7f]/.test(text) ? unescape(encodeURIComponent(text.toWellFormed())) : text;
  return (Uint8Array as unknown as Base64).fromBase64(btoa(binary));
}

/** UTF-8 as text. Throws where it is none. */
export function fromUtf8(bytes: Uint8Array): string {
  const binary = atob(toBase64(bytes));
  return /[\x80-\xff]/.test(binary) ? decodeURIComponent(escape(binary)) : binary;
}

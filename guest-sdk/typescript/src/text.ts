/** Text and UTF-8, by the engine's own functions: a loop over every byte would be interpreted. */

export { fromUtf8, toUtf8 } from "./host.js";

/** Bytes as base64. TypeScript's library for ES2025 does not know the method yet. */
export function toBase64(bytes: Uint8Array): string {
  return (bytes as Uint8Array & { toBase64(): string }).toBase64();
}

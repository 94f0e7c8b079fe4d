/** The keys of `crypto.subtle`, and the forms in which they come. */

import { bytesOfBuffer } from "./bytes.js";

export type Hash = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";
/** What an algorithm may be named by: a name, or a table with it. */
export type Named = string | { name: string; hash?: Named; namedCurve?: string };
/** A key in JSON, as https://www.rfc-editor.org/rfc/rfc7517 has it. */
export type Jwk = Record<string, unknown>;

/** What a key is made of, by its algorithm. */
export type Material =
  | { of: "HMAC"; secret: Uint8Array }
  | { of: "RSA"; modulus: Uint8Array; exponent: Uint8Array }
  /** A point of a curve: of P-256 its two coordinates behind a 4. */
  | { of: "point"; bytes: Uint8Array };

/** A key, which does not show what it is made of. */
export class CryptoKey {
  readonly #material: Material;

  constructor(
    material: Material,
    readonly type: "public" | "secret",
    readonly extractable: boolean,
    readonly algorithm: Record<string, unknown> & { name: string },
    readonly usages: string[],
  ) {
    this.#material = material;
  }

  get [Symbol.toStringTag](): string {
    return "CryptoKey";
  }

  static materialOf(key: CryptoKey): Material {
    return key.#material;
  }
}

export function bad(words: string): never {
  throw new DOMException(words, "DataError");
}

/** The bytes of a member of a key in JSON. */
export function member(jwk: Jwk, name: string): Uint8Array {
  const text = jwk[name];
  if (typeof text !== "string" || /[^A-Za-z0-9_-]/.test(text)) bad(`the key's ${name} is no text in base64url`);
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/") + "=".repeat(-text.length & 3));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

export function toBase64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** A reader of DER: it takes one element after the other. */
class Der {
  #at = 0;
  constructor(readonly bytes: Uint8Array) {}

  /** The content of the next element, which must have this tag. */
  take(tag: number): Uint8Array {
    if (this.bytes[this.#at] !== tag) bad("this is no public key in the form SPKI");
    let length = this.bytes[this.#at + 1] ?? 0;
    this.#at += 2;
    if (length > 127) {
      let left = length & 127;
      if (left > 3) bad("this key is too long");
      for (length = 0; left > 0; left -= 1) length = length * 256 + (this.bytes[this.#at++] ?? 0);
    }
    const content = this.bytes.subarray(this.#at, (this.#at += length));
    if (content.length !== length) bad("this key ends too early");
    return content;
  }
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BITS = 0x03;
const OID = 0x06;
const KINDS: Record<string, "RSA" | "P-256" | "Ed25519"> = {
  "2a864886f70d010101": "RSA",
  "2a8648ce3d02012a8648ce3d030107": "P-256",
  "2b6570": "Ed25519",
};

/** What a public key in the form SPKI is made of, and for which algorithm. */
export function fromSpki(bytes: Uint8Array): { kind: "RSA" | "P-256" | "Ed25519"; material: Material } {
  const whole = new Der(new Der(bytes).take(SEQUENCE));
  const algorithm = new Der(whole.take(SEQUENCE));
  const hex = (found: Uint8Array) => Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("");
  let name = hex(algorithm.take(OID));
  // That of elliptic curves names the curve behind it.
  if (name === "2a8648ce3d0201") name += hex(algorithm.take(OID));
  const kind = KINDS[name] ?? bad("this key is for an algorithm that is not there");
  const key = whole.take(BITS).subarray(1);
  if (kind !== "RSA") return { kind, material: { of: "point", bytes: key.slice() } };
  const numbers = new Der(new Der(key).take(SEQUENCE));
  return { kind, material: { of: "RSA", modulus: numbers.take(INTEGER).slice(), exponent: numbers.take(INTEGER).slice() } };
}

/** Bytes of the author's, which stay the author's. */
export function bytesOf(data: unknown): Uint8Array {
  const bytes = bytesOfBuffer(data);
  if (bytes === undefined) throw new TypeError("crypto.subtle takes bytes: an ArrayBuffer or a view of one");
  return bytes.slice();
}

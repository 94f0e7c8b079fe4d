/**
 * The global `crypto.subtle`: digests, HMAC, and the signatures by which others' tokens are checked: RSASSA-PKCS1-v1_5 (RS256),
 * ECDSA over P-256 (ES256) and Ed25519 (EdDSA). The arithmetic of the curves and the digests are those of the packages `@noble`.
 */

import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { CryptoKey, bad, bytesOf, fromSpki, member, toBase64url, type Hash, type Jwk, type Material, type Named } from "./subtle-keys.js";

// Tables would make a second check a little faster; the first would take half a second, and every room would have them.
p256.Point.BASE.precompute(1);
ed25519.Point.BASE.precompute(1);

const HASHES = { "SHA-1": sha1, "SHA-256": sha256, "SHA-384": sha384, "SHA-512": sha512 };
/** What stands before a digest within an RSA signature: https://www.rfc-editor.org/rfc/rfc8017#section-9.2. */
const DIGEST_INFO = {
  "SHA-1": "3021300906052b0e03021a05000414",
  "SHA-256": "3031300d060960864801650304020105000420",
  "SHA-384": "3041300d060960864801650304020205000430",
  "SHA-512": "3051300d060960864801650304020305000440",
};
const NAMES = ["HMAC", "RSASSA-PKCS1-v1_5", "ECDSA", "Ed25519"];
const HMAC_BITS = { "SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024 };
/** Longer numbers would take longer than a turn may. */
const RSA_BYTES_MAX = 512;
const EXPONENT_BYTES_MAX = 5;

function missing(what: string): never {
  throw new DOMException(
    `crypto.subtle has no ${what} in a plugin: it has digests, HMAC, and verify for RSASSA-PKCS1-v1_5, ECDSA with P-256 and Ed25519`,
    "NotSupportedError",
  );
}

function nameOf(algorithm: Named, names: string[]): string {
  const given = typeof algorithm === "string" ? algorithm : String(algorithm?.name);
  return names.find((name) => name.toLowerCase() === given.toLowerCase()) ?? missing(given);
}

function hashOf(algorithm: Named | undefined): Hash {
  if (algorithm === undefined) throw new TypeError("this algorithm needs a hash, such as SHA-256");
  return nameOf(algorithm, Object.keys(HASHES)) as Hash;
}

/** What a call answers, as a promise, which what it throws rejects. */
function promised<T>(call: () => T): Promise<T> {
  try {
    return Promise.resolve(call());
  } catch (error) {
    return Promise.reject(error);
  }
}

function toBuffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}

function without0(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? new Uint8Array(0) : bytes.subarray(first);
}

function materialOf(name: string, format: string, data: unknown, curve: string | undefined): Material {
  if (name === "HMAC") {
    if (format === "raw") return { of: "HMAC", secret: bytesOf(data) };
    if (format === "jwk") return { of: "HMAC", secret: member(jwkOf(data, "oct"), "k") };
  }
  const kind = name === "ECDSA" ? "P-256" : name === "Ed25519" ? "Ed25519" : "RSA";
  if (name === "ECDSA" && curve !== "P-256") missing(`ECDSA with ${String(curve)}`);
  if (format === "spki") {
    const found = fromSpki(bytesOf(data));
    return found.kind === kind ? found.material : bad(`this key is for ${found.kind}, not for ${kind}`);
  }
  if (format === "raw" && kind !== "RSA") return { of: "point", bytes: bytesOf(data) };
  if (format !== "jwk") missing(`keys for ${name} in the form ${format}`);
  if (kind === "RSA") {
    const jwk = jwkOf(data, "RSA");
    return { of: "RSA", modulus: member(jwk, "n"), exponent: member(jwk, "e") };
  }
  const jwk = jwkOf(data, kind === "P-256" ? "EC" : "OKP");
  if (jwk.crv !== kind) bad(`the key's crv is ${String(jwk.crv)}, not ${kind}`);
  const x = member(jwk, "x");
  return { of: "point", bytes: kind === "P-256" ? Uint8Array.of(4, ...x, ...member(jwk, "y")) : x };
}

function jwkOf(data: unknown, kty: string): Jwk {
  const jwk = data as Jwk;
  if (jwk?.kty !== kty) bad(`the key's kty is ${String(jwk?.kty)}, not ${kty}`);
  if (jwk.d !== undefined) missing("private keys: nothing is signed with one");
  return jwk;
}

/** What a key says of itself, once it is known to be one. */
function described(name: string, material: Material, hash: Named | undefined): Record<string, unknown> & { name: string } {
  switch (material.of) {
    case "HMAC":
      if (material.secret.length === 0) bad("an empty key is no secret");
      return { name, hash: { name: hashOf(hash) }, length: material.secret.length * 8 };
    case "RSA": {
      const modulus = without0(material.modulus);
      const exponent = without0(material.exponent);
      if (modulus.length > RSA_BYTES_MAX) missing(`RSA keys of more than ${RSA_BYTES_MAX * 8} bits`);
      if (exponent.length > EXPONENT_BYTES_MAX) missing(`RSA keys whose exponent has more than ${EXPONENT_BYTES_MAX * 8} bits`);
      if (modulus.length < 64 || exponent.length === 0) bad("this is no RSA key");
      return { name, hash: { name: hashOf(hash) }, modulusLength: modulus.length * 8, publicExponent: exponent };
    }
    case "point":
      try {
        (name === "ECDSA" ? p256 : ed25519).Point.fromBytes(material.bytes);
      } catch {
        bad(`this is no key for ${name}`);
      }
      return name === "ECDSA" ? { name, namedCurve: "P-256" } : { name };
  }
}

function toNumber(bytes: Uint8Array): bigint {
  let hex = "0x0";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return BigInt(hex);
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === "1") result = (result * base) % modulus;
  }
  return result;
}

function verifyRsa(modulus: Uint8Array, exponent: Uint8Array, hash: Hash, signature: Uint8Array, data: Uint8Array): boolean {
  const size = without0(modulus).length;
  const [n, s] = [toNumber(modulus), toNumber(signature)];
  if (signature.length !== size || s >= n) return false;
  let tail = `00${DIGEST_INFO[hash]}`;
  for (const byte of HASHES[hash](data)) tail += byte.toString(16).padStart(2, "0");
  // A zero byte before it is no part of a number.
  const expected = `1${"ff".repeat(size - 2 - tail.length / 2)}${tail}`;
  return power(s, toNumber(exponent), n).toString(16) === expected;
}

/** Whether two are equal, in a time that does not tell where they differ. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let differs = a.length ^ b.length;
  for (let at = 0; at < a.length; at += 1) differs |= a[at]! ^ (b[at] ?? 0);
  return differs === 0;
}

function needUse(key: CryptoKey, use: string, algorithm: Named): void {
  if (!(key instanceof CryptoKey)) throw new TypeError("crypto.subtle takes a key that importKey made");
  const is = key.algorithm.name === nameOf(algorithm, NAMES);
  if (!is || !key.usages.includes(use)) throw new DOMException(`this key is not for ${use} by this algorithm`, "InvalidAccessError");
}

function verify(algorithm: Named, key: CryptoKey, signature: Uint8Array, data: Uint8Array): boolean {
  const material = CryptoKey.materialOf(key);
  const hash = (key.algorithm.hash as { name: Hash } | undefined)?.name;
  switch (material.of) {
    case "HMAC":
      return isEqual(hmac(HASHES[hash!], material.secret, data), signature);
    case "RSA":
      return verifyRsa(material.modulus, material.exponent, hash!, signature, data);
    case "point":
      try {
        if (key.algorithm.name === "Ed25519") return ed25519.verify(signature, data, material.bytes, { zip215: false });
        const digest = HASHES[hashOf(typeof algorithm === "string" ? undefined : algorithm.hash)](data);
        return p256.verify(signature, digest, material.bytes, { prehash: false, lowS: false });
      } catch (error) {
        if (error instanceof DOMException || error instanceof TypeError) throw error;
        // What has not the form of a signature is none.
        return false;
      }
  }
}

export const subtle = {
  digest(algorithm: Named, data: unknown): Promise<ArrayBuffer> {
    return promised(() => toBuffer(HASHES[hashOf(algorithm)](bytesOf(data))));
  },

  importKey(format: string, data: unknown, algorithm: Named, extractable: boolean, usages: string[]): Promise<CryptoKey> {
    return promised(() => {
      const name = nameOf(algorithm, NAMES);
      const table: { hash?: Named; namedCurve?: string } = typeof algorithm === "string" ? {} : algorithm;
      const material = materialOf(name, format, data, table.namedCurve);
      const type = name === "HMAC" ? "secret" : "public";
      const known = described(name, material, table.hash);
      const wrong = usages.find((use) => use !== "verify" && !(type === "secret" && use === "sign"));
      if (wrong !== undefined) throw new SyntaxError(`a ${type} key for ${name} is not for ${wrong}`);
      return new CryptoKey(material, type, extractable === true, known, [...usages]);
    });
  },

  exportKey(format: string, key: CryptoKey): Promise<ArrayBuffer | Jwk> {
    return promised(() => {
      const material = CryptoKey.materialOf(key);
      if (!key.extractable) throw new DOMException("this key may not leave", "InvalidAccessError");
      if (material.of !== "HMAC" || (format !== "raw" && format !== "jwk")) missing(`export of such a key in the form ${format}`);
      const { secret } = material as { secret: Uint8Array };
      if (format === "raw") return toBuffer(secret);
      const alg = `HS${(key.algorithm.hash as { name: Hash }).name.slice("SHA-".length)}`;
      return { kty: "oct", k: toBase64url(secret), alg, ext: true, key_ops: [...key.usages] };
    });
  },

  generateKey(algorithm: Named & { length?: number }, extractable: boolean, usages: string[]): Promise<CryptoKey> {
    return promised(() => {
      if (nameOf(algorithm, NAMES) !== "HMAC") missing("keys of its own but those for HMAC");
      const hash = hashOf((algorithm as { hash?: Named }).hash);
      const secret = crypto.getRandomValues(new Uint8Array(Math.ceil((algorithm.length ?? HMAC_BITS[hash]) / 8)));
      const material: Material = { of: "HMAC", secret };
      return new CryptoKey(material, "secret", extractable === true, described("HMAC", material, hash), [...usages]);
    });
  },

  sign(algorithm: Named, key: CryptoKey, data: unknown): Promise<ArrayBuffer> {
    return promised(() => {
      needUse(key, "sign", algorithm);
      const { secret } = CryptoKey.materialOf(key) as { secret: Uint8Array };
      return toBuffer(hmac(HASHES[(key.algorithm.hash as { name: Hash }).name], secret, bytesOf(data)));
    });
  },

  verify(algorithm: Named, key: CryptoKey, signature: unknown, data: unknown): Promise<boolean> {
    return promised(() => {
      needUse(key, "verify", algorithm);
      return verify(algorithm, key, bytesOf(signature), bytesOf(data));
    });
  },

  ...Object.fromEntries(
    ["encrypt", "decrypt", "deriveBits", "deriveKey", "wrapKey", "unwrapKey"].map((name) => [name, () => promised(() => missing(name))]),
  ),
};

/** `crypto.subtle`, beside node's own. */

import assert from "node:assert/strict";
import { generateKeyPairSync, webcrypto } from "node:crypto";
import test from "node:test";
import { subtle } from "../src/subtle.js";

const theirs = webcrypto.subtle as any;
const TEXT = new TextEncoder().encode("what is signed");
const HASHES = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
const hex = (bytes: ArrayBuffer) => Buffer.from(bytes).toString("hex");

test("digests and HMAC are node's", async () => {
  for (const hash of HASHES) {
    assert.equal(hex(await subtle.digest(hash, TEXT)), hex(await theirs.digest(hash, TEXT)));
    for (const secret of [new Uint8Array([1]), new Uint8Array(200).fill(7)]) {
      const algorithm = { name: "HMAC", hash };
      const ours = await subtle.importKey("raw", secret, algorithm, true, ["sign", "verify"]);
      const other = await theirs.importKey("raw", secret, algorithm, true, ["sign"]);
      const signature = await subtle.sign("HMAC", ours, TEXT);
      assert.equal(hex(signature), hex(await theirs.sign("HMAC", other, TEXT)));
      assert.equal(await subtle.verify("HMAC", ours, signature, TEXT), true);
      assert.equal(await subtle.verify("HMAC", ours, signature.slice(1), TEXT), false);
      assert.deepEqual((await subtle.exportKey("jwk", ours) as any).k, (await theirs.exportKey("jwk", other)).k);
    }
  }
});

const SIGNATURES: [string, any, any][] = [
  ["rsa", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, { modulusLength: 2048 }],
  ["rsa", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" }, { modulusLength: 1024 }],
  ["ec", { name: "ECDSA", hash: "SHA-256", namedCurve: "P-256" }, { namedCurve: "P-256" }],
  ["ed25519", { name: "Ed25519" }, {}],
];

test("signatures that node makes hold, in each form of the key, and no others", async () => {
  for (const [kind, algorithm, options] of SIGNATURES) {
    const { publicKey, privateKey } = generateKeyPairSync(kind as any, options) as any;
    const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
    const key = await theirs.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]);
    const signature = new Uint8Array(await theirs.sign(algorithm, key, TEXT));
    const forms: [string, unknown][] = [
      ["jwk", publicKey.export({ format: "jwk" })],
      ["spki", publicKey.export({ format: "der", type: "spki" })],
    ];
    for (const [format, data] of forms) {
      const ours = await subtle.importKey(format, data, algorithm, false, ["verify"]);
      const holds = (bytes: Uint8Array, text = TEXT) => subtle.verify(algorithm, ours, bytes, text);
      assert.equal(await holds(signature), true, `${kind} ${format}`);
      assert.equal(await holds(signature, TEXT.slice(1)), false);
      for (const at of [0, 5, signature.length - 1]) {
        const forged = signature.slice();
        forged[at]! ^= 1;
        assert.equal(await holds(forged), false, `${kind} at ${at}`);
      }
      assert.equal(await holds(new Uint8Array(0)), false);
      assert.equal(await holds(new Uint8Array(signature.length)), false);
      await assert.rejects(subtle.sign(algorithm, ours, TEXT), { name: "InvalidAccessError" });
    }
  }
});

test("what is not there says so, and what is no key is none", async () => {
  const refused: [() => Promise<unknown>, string][] = [
    [() => subtle.digest("MD5", TEXT), "NotSupportedError"],
    [() => subtle.importKey("raw", TEXT, "AES-GCM", false, []), "NotSupportedError"],
    [() => subtle.importKey("jwk", { kty: "EC", crv: "P-384" }, { name: "ECDSA", namedCurve: "P-384" }, false, []), "NotSupportedError"],
    [() => subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", x: "AA", d: "AA" }, "Ed25519", false, []), "NotSupportedError"],
    [() => subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", x: "AA" }, "Ed25519", false, ["verify"]), "DataError"],
    [() => subtle.importKey("spki", TEXT, "Ed25519", false, ["verify"]), "DataError"],
    [() => subtle.importKey("raw", TEXT, { name: "HMAC", hash: "SHA-256" }, false, ["encrypt"]), "SyntaxError"],
    [() => (subtle as any).encrypt(), "NotSupportedError"],
  ];
  for (const [call, name] of refused) await assert.rejects(call(), { name });
});

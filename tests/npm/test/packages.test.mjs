/** Packages of npm in a room: one plugin that holds them all is built, and tries each in the server's own room. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const HERE = join(ROOT, "tests/npm");

/** What each package's try comes to. */
const EXPECTED = {
  "@colyseus/schema": { players: { ada: { x: 5 } } },
  "@msgpack/msgpack": { a: [1, "x", null] },
  "@noble/hashes": "4bf5122f",
  "@preact/signals-core": [2, 4],
  "@sinclair/typebox": false,
  ajv: false,
  "async-mutex": "alone",
  "bignumber.js": "0.3",
  bitecs: 1,
  bson: [{ a: 1, text: "ü" }, 24],
  "cannon-es": true,
  "chess.js": ["rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1", 20],
  colord: "#cc0000",
  "date-fns": "1970-01-02",
  dayjs: "1970-01-02T00:00:00.000Z",
  "decimal.js": "0.3",
  effect: [4, { n: 5 }],
  emittery: [1],
  "es-toolkit": 1,
  eventemitter3: [1],
  events: [1],
  "fast-deep-equal": true,
  "fast-json-patch": [{ op: "replace", path: "/a", value: 2 }],
  fflate: "again and again and again",
  "fuse.js": ["ada"],
  "gl-matrix": 5,
  handlebars: "hi &lt;ada&gt; 1 2",
  immer: [1, 2],
  immutable: { a: 1, b: 2 },
  joi: "\"n\" must be less than or equal to 4",
  jose: ["ada", "by ES256", "by EdDSA", "by RS256", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"],
  "js-yaml": { a: [1, "two"] },
  limiter: [true, false],
  lodash: [[1, 2], [3]],
  "lru-cache": [null, 2],
  marked: "<h1>a <em>b</em></h1>\n",
  "matter-js": true,
  mitt: ["a", 1],
  mobx: [1, 2],
  moment: "Friday, January 2, 1970 12:00 AM",
  msgpackr: { a: [1, "x", null] },
  nanoid: [21, 5, true],
  nanostores: [2, 4],
  neverthrow: 2,
  "p-queue": [1, 2],
  pako: "again and again",
  planck: true,
  "prosemirror-transform": "shared",
  protobufjs: { to: "é4" },
  "pure-rand": 43,
  qs: { a: { b: "1" }, c: "2" },
  "quill-delta": [{ insert: "hello!" }],
  ramda: 12,
  "random-js": [12, 1],
  rbush: 1,
  redux: 1,
  "rot-js": [16, true],
  rxjs: [20, 30],
  seedrandom: true,
  semver: true,
  "simplex-noise": true,
  superjson: true,
  superstruct: false,
  "ts-pattern": "e4",
  ulid: 26,
  uuid: [true, true, true],
  valibot: false,
  validator: [true, "&lt;b&gt;"],
  valtio: 2,
  xstate: "on",
  "y-protocols": true,
  yjs: "shared",
  yup: ["ValidationError", "text must be at least 3 characters"],
  zod: "too_big",
  zustand: 2,
};

/** The public keys and the tokens that others sign. */
function tokens() {
  const base64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const made = { jwks: { keys: [] }, tokens: {} };
  for (const [alg, kind, options, hash] of [
    ["RS256", "rsa", { modulusLength: 2048 }, "sha256"],
    ["ES256", "ec", { namedCurve: "P-256" }, "sha256"],
    ["EdDSA", "ed25519", {}, null],
  ]) {
    const { publicKey, privateKey } = generateKeyPairSync(kind, options);
    made.jwks.keys.push({ ...publicKey.export({ format: "jwk" }), alg, kid: alg });
    const text = `${base64({ alg, kid: alg })}.${base64({ sub: `by ${alg}` })}`;
    const signature = sign(hash, Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
    made.tokens[alg] = `${text}.${signature.toString("base64url")}`;
  }
  return made;
}

function build(out) {
  const cli = join(ROOT, "guest-sdk/typescript/build/cli.mjs");
  const args = ["build", "--entry", "src/index.ts", "--name", "npm", "--out", out];
  const { status, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: HERE, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stderr;
}

/** What the room answers to each of these requests. */
function ask(component, requests) {
  const frames = requests.map((frame) => ({ request: { from: "ada", frame } }));
  const steps = [{ connect: { as: "ada", path: "/npm" } }, ...frames].map((step) => JSON.stringify(step));
  const program = process.env.PARLOR_BIN ?? join(ROOT, "target/release/parlor");
  const config = `${component}.toml`;
  // What the packages come to is at issue here, not what a busy machine takes for it.
  writeFileSync(config, "[limits]\nturn-cpu-ms = 2_000\n");
  const args = ["room", component, "--stdio", "--config", config, "--cache", join(ROOT, "target/test-room-cache")];
  const { stdout, stderr } = spawnSync(program, args, { input: `${steps.join("\n")}\n`, encoding: "utf8", maxBuffer: 1 << 26 });
  const answers = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(answers.length, steps.length, stderr + stdout.slice(-2_000));
  return answers.slice(1).map(({ ok, error }) => error ?? ok.error ?? ok.data);
}

/** The names in the first column of a page's first table. */
function tableOf(page) {
  const rows = readFileSync(join(ROOT, page), "utf8").matchAll(/^\| `([^`]+)` \| runs\b/gm);
  return [...rows].map(([, name]) => name);
}

test("each package does in a room what it does elsewhere", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "parlor-npm-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const component = join(folder, "npm.wasm");
  const said = build(component);
  assert.match(said, /lodash, which parlor\.topLevel allows: .* the same in all rooms/);
  const given = tokens();
  const names = Object.keys(EXPECTED);
  const asked = names.map((name) => ({ type: "try", data: { name, given } }));
  const [known, ...results] = ask(component, [{ type: "names" }, ...asked]);
  assert.deepEqual(Object.fromEntries(names.map((name, at) => [name, results[at]])), EXPECTED);
  assert.deepEqual(known.sort(), names.sort(), "each that the room has is tried");
});

test("the page lists those that are tried", () => {
  assert.deepEqual(tableOf("docs/authors/npm.md").sort(), Object.keys(EXPECTED).sort());
});

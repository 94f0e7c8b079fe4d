/** What the engine lacks and the SDK supplies, beside node's own. */

import assert from "node:assert/strict";
import test from "node:test";
import { structuredClone as clone } from "../src/clone.js";
import { TextDecoder as Decoder, TextEncoder as Encoder } from "../src/encoding.js";
import { byteLength, cut } from "../src/errors.js";
import { format } from "../src/format.js";
import { Headers, Request } from "../src/web.js";

// QuickJS has these, as node 25 does.
if (!("fromBase64" in Uint8Array)) {
  const define = (target: object, name: string, value: unknown) => Object.defineProperty(target, name, { value, configurable: true });
  define(Uint8Array, "fromBase64", (text: string) => new Uint8Array(Buffer.from(text, "base64")));
  define(Uint8Array.prototype, "toBase64", function (this: Uint8Array) {
    return Buffer.from(this).toString("base64");
  });
}

/** A repeatable row of numbers below `below`. */
function numbers(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const TEXTS = ["", "plain", "é", "漢字", "😀 and \ud83d\udc68\u200d👩", "\ud800", "a\udc00b", "x".repeat(1_000) + "ß", "\ufeffbom"];

test("TextEncoder is node's", () => {
  for (const text of TEXTS) {
    assert.deepEqual([...new Encoder().encode(text)], [...new TextEncoder().encode(text)], JSON.stringify(text));
    for (const size of [0, 1, 2, 3, 7]) {
      const [ours, theirs] = [new Uint8Array(size), new Uint8Array(size)];
      const told = new Encoder().encodeInto(text, ours);
      assert.deepEqual(told, { ...new TextEncoder().encodeInto(text, theirs) });
      assert.deepEqual([...ours.subarray(0, told.written)], [...theirs.subarray(0, told.written)]);
    }
  }
});

test("TextDecoder is node's, on what is no UTF-8 too", () => {
  const next = numbers(7);
  const leads = [0x41, 0x80, 0xbf, 0xc0, 0xc3, 0xe0, 0xe2, 0xed, 0xef, 0xbb, 0xbf, 0xf0, 0x9f, 0x98, 0xf4, 0x8f, 0xf5, 0xff];
  for (let round = 0; round < 3_000; round += 1) {
    const bytes = Uint8Array.from({ length: next(48) }, () => (next(3) === 0 ? next(256) : leads[next(leads.length)]!));
    assert.equal(new Decoder().decode(bytes), new TextDecoder().decode(bytes), `round ${round}: ${[...bytes]}`);
    let refused = false;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      refused = true;
    }
    if (refused) assert.throws(() => new Decoder("utf-8", { fatal: true }).decode(bytes), TypeError);
    else assert.doesNotThrow(() => new Decoder("utf-8", { fatal: true }).decode(bytes));
  }
});

test("TextDecoder joins the parts of a stream", () => {
  const next = numbers(11);
  const whole = new TextEncoder().encode(TEXTS.join("|").repeat(3));
  for (let round = 0; round < 200; round += 1) {
    const ours = new Decoder();
    const theirs = new TextDecoder();
    let [text, expected] = ["", ""];
    for (let at = 0; at < whole.length; ) {
      const part = whole.subarray(at, (at += 1 + next(9)));
      text += ours.decode(part, { stream: true });
      expected += theirs.decode(part, { stream: true });
    }
    assert.equal(text + ours.decode(), expected + theirs.decode());
  }
  assert.throws(() => new Decoder("latin1"), RangeError);
});

test("structuredClone is node's", () => {
  const ring: any = { name: "ring", list: [1, , 3] };
  ring.self = ring;
  const values = [
    0, -0, NaN, 12n, "text", null, undefined, true, new Date(5), /a+/gi, [1, [2, [3]]], { a: { b: undefined } },
    new Map<any, any>([["k", { v: 1 }], [{ o: 1 }, new Set([1, "2"])]]), new Uint8Array([1, 2, 3]), new RangeError("far"),
    new Float64Array([1.5]), new DataView(new ArrayBuffer(4), 1, 2), Object(5), ring,
  ];
  for (const value of values) assert.deepEqual(clone(value), structuredClone(value));
  const shared = { n: 1 };
  const pair = clone([shared, shared]);
  assert.ok(pair[0] === pair[1] && pair[0] !== shared);
  for (const value of [() => 1, Symbol("s"), { inner: () => 1 }, new WeakMap(), Promise.resolve(1)]) {
    assert.throws(() => clone(value), { name: "DataCloneError" });
  }
});

test("Headers and Request have fetch's ways", () => {
  const headers = new Headers([["X-A", " 1 "], ["x-a", "2"], ["Cookie", "a=1"], ["cookie", "b=2"]]);
  assert.deepEqual([...headers], [["cookie", "a=1; b=2"], ["x-a", "1, 2"]]);
  assert.equal(headers.get("X-a"), "1, 2");
  assert.equal(headers.get("none"), null);
  assert.throws(() => headers.get("not a name"), TypeError);
  const request = new Request("ws://host/ws?token=a%20b", { headers: { A: "b" } });
  assert.deepEqual([request.url, request.method, request.headers.get("a")], ["ws://host/ws?token=a%20b", "GET", "b"]);
  assert.throws(() => new Request("no address"), TypeError);
});

test("the log shows values as JavaScript writes them", () => {
  const ring: any = { n: 1 };
  ring.self = ring;
  class Point {
    constructor(readonly x: number) {}
    get sum(): never {
      throw new Error("no");
    }
  }
  const shown: [unknown, string][] = [
    [{ a: 1, "b-c": "x", d: [undefined, null, -0, 2n] }, '{ a: 1, "b-c": "x", d: [ undefined, null, -0, 2n ] }'],
    [new Map([["k", new Set([1])]]), 'Map(1) { "k" => Set(1) { 1 } }'],
    [ring, "{ n: 1, self: [Circular] }"],
    [new Point(3), "Point { x: 3 }"],
    [{ f() {}, g: Point, h: Symbol("s") }, "{ f: [Function f], g: [class Point], h: Symbol(s) }"],
    [new Uint8Array([1, 2]), "Uint8Array(2) [ 1, 2 ]"],
    [{ a: { b: { c: { d: { e: 1 } } } } }, "{ a: { b: { c: { d: [Object] } } } }"],
    [Array.from({ length: 60 }, () => 0).length, "60"],
    [new Error("gone"), "[Error: gone]"],
    [{ get bad() { throw new Error("x"); } }, "{ bad: [Error: x] }"],
    [Object.create(null), "[null prototype] {}"],
  ];
  for (const [value, text] of shown) assert.equal(format(value), text);
  assert.match(format(Array.from({ length: 60 }, () => 0)), /\.\.\. 10 more \]$/);
});

test("texts are measured and cut in bytes, between characters", () => {
  for (const text of TEXTS) {
    assert.equal(byteLength(text), new TextEncoder().encode(text).length);
    for (let max = 0; max < 12; max += 1) {
      const part = cut(text, max);
      assert.ok(text.startsWith(part) && byteLength(part) <= max);
      const next = String.fromCodePoint(text.codePointAt(part.length) ?? 0);
      if (part !== text) assert.ok(byteLength(part + next) > max, `${JSON.stringify(text)} to ${max}`);
    }
  }
});

/** What a plugin's author can rely on in a test room: bytes in data, and several arguments. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";

const room = () => new TestRoom({ entry: "test/rooms/bytes.ts" });
const BYTES = Uint8Array.of(0, 255);

test("bytes arrive as bytes, wherever they are", () => {
  const ada = room().connect("/ws");
  const kinds = (...data: unknown[]) => {
    ada.send("kind", ...data);
    const [{ type: _, ...kind }] = ada.events();
    return kind;
  };
  assert.deepEqual(kinds(BYTES), { data: "bytes 0 255", frame: "bytes 0 255", args: ["bytes 0 255"] });
  const deep = { a: ["bytes 0 255", { b: "bytes " }] };
  assert.deepEqual(kinds({ a: [BYTES, { b: new Uint8Array() }] }), { data: deep, frame: deep, args: [deep] });
  assert.deepEqual(kinds(1, BYTES), { data: [1, "bytes 0 255"], frame: [1, "bytes 0 255"], args: [1, "bytes 0 255"] });
  ada.sendFrame({ type: "kind", base64: "AP8=" });
  assert.equal(ada.events()[0].data, "bytes 0 255");
});

test("arguments are told from an array", () => {
  const ada = room().connect("/ws");
  const args = (...data: unknown[]) => {
    ada.send("kind", ...data);
    return ada.events()[0].args;
  };
  assert.deepEqual([args(), args([1, 2]), args(1, 2), args(null)], [[], [[1, 2]], [1, 2], [null]]);
});

test("a placeholder that nobody attached anything to stays what it is", () => {
  const ada = room().connect("/ws");
  const alike = { _placeholder: true, num: 0 };
  const others = [{ ...alike, num: 1 }, { ...alike, num: "0" }, { ...alike, num: "length" }, { ...alike, more: 1 }, { num: 0 }];
  ada.send("kind", alike);
  ada.send("kind", { bytes: BYTES, others, "__proto__x": others });
  const [none, some] = ada.events();
  assert.deepEqual(none.data, alike);
  assert.deepEqual(some.data, { bytes: "bytes 0 255", others, "__proto__x": others });
  ada.send("forge", { ...alike, num: 1 });
  const [first, second] = ada.received();
  assert.deepEqual(first.data, { type: "look-alike", ...alike, num: 1 });
  assert.deepEqual(second.data, { type: "beside", data: { ...alike, num: 1 }, bytes: { base64: "AQ==" } });
});

test("bytes leave as bytes, in emits and in answers", () => {
  const bytes = room();
  const [ada, bob] = [bytes.connect("/ws"), bytes.connect("/ws")];
  assert.deepEqual(ada.request("echo", BYTES), BYTES);
  assert.deepEqual(ada.request("echo", { deep: [BYTES, 1] }), { deep: [BYTES, 1] });
  assert.deepEqual(ada.request("unknown", [BYTES]), [BYTES]);
  assert.deepEqual(bob.received().map((frame) => frame.data), [
    { type: "echo", base64: "AP8=" },
    { type: "echo", deep: [{ base64: "AP8=" }, 1] },
  ]);
  assert.deepEqual(ada.events(), [
    { type: "echo", data: BYTES },
    { type: "echo", deep: [BYTES, 1] },
    { type: "fallback", data: [BYTES] },
  ]);
  ada.sendFrame({ type: "echo", base64: "AP8=", id: 1 });
  assert.deepEqual(ada.received().at(-1), { type: "ack", id: 1, base64: "AP8=" });
});

test("several values are an array for clients without several arguments", () => {
  const ada = room().connect("/ws");
  assert.deepEqual(ada.request("several", BYTES), [BYTES, 2]);
  assert.deepEqual(ada.events(), [{ type: "several", data: [1, { bytes: BYTES }, BYTES] }, { type: "none" }]);
});

test("only what goes to clients has bytes", () => {
  const bytes = room();
  const ada = bytes.connect("/ws");
  ada.send("writes");
  assert.deepEqual(ada.events(), [
    { type: "inner", bytes: Uint8Array.of(9) },
    { type: "outer", bytes: Uint8Array.of(1, 2), inner: { written: true } },
  ]);
  assert.deepEqual(bytes.log(), ['info: {"bytes":{"0":1,"1":2}}']);
  ada.send("store", { bytes: BYTES });
  assert.deepEqual(bytes.stored("data"), { bytes: { 0: 0, 1: 255 } });
  bytes.sleep();
  assert.deepEqual(bytes.suspended()!.state, { bytes: { 0: 1, 1: 2 } });
});

test("bytes count into the bounds, and more than 16 are base64", () => {
  const bytes = room();
  const ada = bytes.connect("/ws");
  ada.send("many", 16);
  assert.equal(ada.events()[0].data.length, 16);
  ada.send("many", 17);
  const many = ada.events()[0].data;
  assert.ok(many[15] instanceof Uint8Array);
  assert.deepEqual([many.length, Object.keys(many[16])], [17, ["base64"]]);
  ada.send("heavy", 262_000);
  ada.send("heavy", 262_140);
  assert.deepEqual(bytes.failures().map(({ code }) => code), ["emit-bytes"]);
  assert.throws(() => ada.send("kind", Array(17).fill(BYTES)), /up to 16 attachments, not 17/);
  assert.throws(() => ada.send("kind", new Uint8Array(65_537)), /up to 65536 bytes, not 65537/);
});

test("what is attached to a refused emit goes with that", () => {
  const ada = room().connect("/ws");
  ada.send("refused");
  assert.deepEqual(ada.events(), [{ type: "other", _placeholder: true, num: 0 }]);
});

test("bytes of a buffer that was resized are as many as there are now", () => {
  const ada = room().connect("/ws");
  assert.deepEqual(ada.request("resized", 1), Uint8Array.of(1));
  assert.deepEqual(ada.request("resized", 4), Uint8Array.of(1, 2, 0, 0));
  assert.deepEqual(ada.request("resized", 0), new Uint8Array());
});

test("a list for the host has a bound, past which its size in memory could not be told", () => {
  const ada = room().connect("/ws");
  assert.equal(ada.request("list", 2 ** 20 + 1), "RangeError: a list has more than 65536 entries");
});

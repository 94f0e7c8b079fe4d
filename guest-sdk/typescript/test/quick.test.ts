/** What the engine does by itself where it can: as the language has it, and as what is left to its slower ways. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";
import { ordered } from "./rooms/orders.js";

const ENTRY = "test/rooms/quick.ts";

test("what is emitted is what JSON.stringify writes", () => {
  const ada = new TestRoom({ entry: ENTRY }).connect("/ws");
  ada.send("names");
  for (const name of ada.events()[0].data) {
    ada.send("write", name);
    const [text, [value]] = ada.events().map((event) => event.data);
    assert.equal(JSON.stringify(value), JSON.stringify(JSON.parse(text[0])), name);
  }
});

test("a large text costs about its own size while it is emitted, and nothing after that", (t) => {
  // Node has it; the types of tests are those of plugins, which have not.
  const wasm = (globalThis as any).WebAssembly;
  const { Instance } = wasm;
  t.after(() => Object.assign(wasm, { Instance }));
  const memories: { buffer: ArrayBuffer }[] = [];
  const size = () => memories.reduce((all, { buffer }) => all + buffer.byteLength, 0);
  wasm.Instance = class extends Instance {
    constructor(module: unknown, imports?: unknown) {
      super(module, imports);
      memories.push(this.exports.memory);
    }
  };
  const ada = new TestRoom({ entry: ENTRY }).connect("/ws");
  const before = size();
  ada.send("large", 250_000);
  const once = size();
  assert.ok(once - before < 1_500_000, `${once - before}`);
  for (let round = 0; round < 10; round += 1) ada.send("large", 250_000);
  assert.ok(size() - once < 300_000, `${size() - once}`);
  assert.equal(ada.events().length, 11);
});

test("what a handler does to the prototypes of what it is given is nothing to the next event", () => {
  const ada = new TestRoom({ entry: ENTRY }).connect("/ws");
  ada.send("change");
  ada.send("plain", 1);
  assert.deepEqual(ada.events(), [{ type: "plain", data: [1] }]);
});

test("what is read is what JSON.parse reads", () => {
  const ada = new TestRoom({ entry: ENTRY }).connect("/ws");
  const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  const texts = [
    ...['{"a":1,"b":"x"}', '{"a":1,"a":2}', '{"b":1,"2":2,"a":3,"1":4}', '{"__proto__":{"x":1}}', '{"":1,"\\u0061":2}', '{"é":1,"😀":"é😀"}'],
    ...["0", "-0", "1e3", "0.1", "123456789012345", "1234567890123456789", "-1.5E-7", "1e400", "2147483648", "4294967295"],
    ...['"\\ud83d\\ude00"', '"\\ud800"', '"\\n\\"\\\\\\/"', ' [ 1 , "a" , { } , [ ] , true , false , null ] ', "\t\r\n1"],
    ...["", "[", "[1,]", "{", '{"a"}', '{"a":}', '{"a":1,}', "01", "-", "1.", "+1", "tru", "nul", '"a', '"\t"', "1 2", "{'a':1}", "NaN"],
    ...['{"a":[{"b":[{"c":{}}]}]}', deep(100), deep(127), deep(128), deep(129), deep(1_000)],
  ];
  for (const text of texts) {
    ada.send("read", text);
    assert.deepEqual(ada.events(), [{ type: "read", data: "same" }], text);
  }
});

test("half of a surrogate pair is U+FFFD in all that is emitted, and stays what it is in the storage", () => {
  const room = new TestRoom({ entry: ENTRY });
  const ada = room.connect("/ws");
  ada.send("halves");
  assert.deepEqual(ada.events().map((event) => event.data), [[{ a: "x\ufffdy", "\ufffd": ["\ufffd"] }], [null, ["😀\ufffd"]]]);
  ada.send("halfStored");
  assert.deepEqual(ada.events(), [{ type: "kept", data: 0xd800 }]);
});

test("jobs run in the order of the language", async () => {
  const ada = new TestRoom({ entry: ENTRY }).connect("/ws");
  ada.send("order");
  assert.deepEqual(ada.events()[0].data, await ordered());
});

test("a context that is kept stays that of its turn", () => {
  const room = new TestRoom({ entry: ENTRY });
  const [ada, bob] = [room.connect("/ws"), room.connect("/ws")];
  ada.send("keep", { n: 1 });
  bob.send("look");
  assert.deepEqual(bob.events(), [
    { type: "looked", data: [false, "mine", null, { type: "keep", data: { n: 1 } }, [{ n: 1 }]] },
  ]);
  assert.deepEqual(ada.events(), [{ type: "kept", data: "from the turn before" }]);
});

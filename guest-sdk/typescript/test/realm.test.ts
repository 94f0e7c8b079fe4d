/** What a room finds around it in a test: the same as in a component, and nothing of node's or of another instance's. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";

const ENTRY = "test/rooms/realm.ts";

test("the globals are those of a component", () => {
  const ada = new TestRoom({ entry: ENTRY }).connect("/ws");
  ada.send("globals");
  assert.deepEqual(ada.events(), [{ type: "globals", missing: [], there: [], own: [true, true, true] }]);
});

test("what one instance leaves no other one sees", () => {
  const room = new TestRoom({ entry: ENTRY });
  const ada = room.connect("/ws");
  const left = () => {
    ada.send("left");
    return ada.events()[0].data;
  };
  ada.send("leave");
  assert.deepEqual(left(), [1, 1, 1]);
  const bob = new TestRoom({ entry: ENTRY }).connect("/ws");
  bob.send("left");
  assert.deepEqual(bob.events(), [{ type: "left", data: [0, null, null] }]);
  room.restore("crash");
  assert.deepEqual([left(), ([] as any).left], [[0, null, null], undefined]);
});

test("the time is the test's, and stands still", () => {
  const room = new TestRoom({ entry: ENTRY, time: 5 });
  const ada = room.connect("/ws");
  ada.send("time");
  room.advance(1_000);
  ada.send("time");
  const times = ada.events().map((event) => event.data);
  assert.deepEqual(times, [[5, "1970-01-01T00:00:00.005Z", 0], [1_005, "1970-01-01T00:00:01.005Z", 0]]);
});

test("randomness is the same in every run of a test, and not in every instance of a room", () => {
  const runs = [0, 1].map(() => {
    const room = new TestRoom({ entry: ENTRY });
    const ada = room.connectAs({ userId: "ada" });
    ada.send("random");
    room.restore("crash");
    ada.send("random");
    return ada.events();
  });
  assert.deepEqual(runs[0], runs[1]);
  assert.notDeepEqual(runs[0]![0], runs[0]![1]);
});

test("promises and timeouts have come to their end when a call returns", () => {
  const ada = new TestRoom({ entry: ENTRY }).connect("/ws");
  ada.send("wait");
  assert.deepEqual(ada.events(), [{ type: "waited", data: ["soon", "then"] }]);
});

test("a promise that nothing settles fails its turn", () => {
  const room = new TestRoom({ entry: ENTRY });
  room.connect("/ws").send("never");
  assert.equal(room.failures()[0]?.code, "never-settled");
});

test("names cross as UTF-8, and data as JSON", () => {
  const room = new TestRoom({ entry: ENTRY });
  const ada = room.connect("/ws");
  for (const text of ["é😀", "x".repeat(100) + "ß", "\ud800"]) ada.send("words", text);
  assert.deepEqual(room.storedKeys, ["x".repeat(100) + "ß", "é😀", "\ufffd"]);
  assert.deepEqual(ada.events().map((event) => event.data), ["é😀", "x".repeat(100) + "ß", "\ufffd"]);
});

test("what cannot start says why and where", () => {
  assert.throws(() => new TestRoom({ entry: "test/rooms/top-level.ts" }), /the current time cannot be used at the top level.*\n.*at test\/rooms\/top-level\.ts:3/s);
  assert.throws(() => new TestRoom({ entry: "test/rooms/counters.ts" }), /this plugin has no room: call defineRoom/);
  assert.throws(() => new TestRoom({ entry: "test/rooms/broken.js" }), /cannot bundle broken\.js:.*nowhere-at-all/s);
});

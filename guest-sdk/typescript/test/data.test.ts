/** What a plugin's author can rely on in a test room: targets and counts, storage, and what is refused. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";

const room = () => new TestRoom({ entry: "test/rooms/data.ts" });

test("a passed bound fails the turn even if the handler goes on", () => {
  const data = room();
  const ada = data.connect("/ws");
  for (const event of ["flood", "large", "much", "read"]) ada.send(event);
  const codes = data.failures().map((failed) => failed.code);
  assert.deepEqual(codes, ["emits-per-turn", "emit-bytes", "emit-bytes-per-turn", "host-calls-per-turn"]);
  // Of the turn nothing is left, and the sender hears of what is too large to be passed on.
  const told = (event: string, bound: string) => {
    return { type: "error", code: "limit-exceeded", message: `${event} was not handled: its turn passed the bound ${bound}` };
  };
  assert.deepEqual(ada.events(), [told("large", "emit-bytes"), told("much", "emit-bytes-per-turn")]);
  assert.equal(data.failures()[0]!.message, "the turn passed the bound emits-per-turn");
});

test("targets are channels, users and clients", () => {
  const data = room();
  const ada = data.connectAs({ userId: "ada", clientId: "laptop", channels: ["news"] });
  data.connectAs({ userId: "ada", clientId: "phone", channels: ["news", "default"] });
  data.connectAs({ userId: "bob", clientId: "tablet" });
  for (const to of ["news", "default", "ada", "phone"]) ada.send("count", to);
  // `ctx.emit.to("default")` means a user here: Ada's laptop is not in that channel. Nobody is in the one of `sendToUser`.
  const counts = ["1 2 0 0 2 0 1", "0 2 0 0 2 0 1", "2 0 2 0 2 0 1", "0 0 0 1 1 0 1"];
  assert.deepEqual(data.log(), counts.map((line) => `info: ${line}`));
});

test("frames carry the channel of their target and the name that was emitted", () => {
  const ada = room().connectAs({ userId: "ada", channels: ["a", "b"] });
  ada.send("frames");
  assert.deepEqual(ada.received(), [
    { type: "event", channel: "a", data: { type: "own", a: 1 } },
    { type: "event", channel: "b", data: { type: "other", data: [1, 2] } },
    { type: "event", channel: "b", data: { type: "message", data: "no event of its own" } },
  ]);
});

test("what one socket got is nobody else's object", () => {
  const data = room();
  const [ada, bob] = [data.connect("/ws"), data.connect("/ws")];
  for (const socket of [ada, bob]) socket.send("count", "x");
  const news = [data.connectAs({ userId: "eve", channels: ["b"] }), data.connectAs({ userId: "ida", channels: ["b"] })];
  ada.send("frames");
  const [one, other] = news.map((socket) => socket.received());
  one![0].data.type = "changed";
  assert.equal(other![0].data.type, "other");
});

test("listings page through all entries in order", () => {
  const data = room();
  const ada = data.connect("/ws");
  ada.send("list");
  const page = { entries: [["n/001", 1], ["n/002", 2]], next: "n/002" };
  assert.deepEqual(ada.events(), [{ type: "listed", page, size: 600, inOrder: true, deleted: [true, false] }]);
  assert.equal(data.storedKeys.length, 600);
});

test("each refusal says what and the bound, and is no failed turn", () => {
  const data = room();
  data.connect("/ws").send("bounds");
  const bound = (name: string) => `limit-exceeded: the bound ${name} would be passed`;
  const expected = [
    "invalid: the close code 1001 must be 1000, 1008, 1011 to 1013 or 3000 to 4999",
    "invalid: a close reason must be at most 123 bytes",
    "invalid: the event must be 1 to 128 bytes, not 0",
    "invalid: an event whose name begins with $ is the host's own",
    "invalid: JSON nested deeper than 128 levels",
    "invalid: setMeta takes an object of the connection's own fields",
    "no-such-socket: no such socket in this room; it may have left",
    bound("storage-key-bytes"),
    "invalid: a key must not be empty",
    bound("storage-value-bytes"),
    "taken",
    bound("storage-keys-per-call"),
    bound("storage-keys-per-call"),
    'invalid: the key "a" is named twice',
    bound("storage-bytes-per-call"),
    "invalid: limit must be 1 to 1000, not 0",
    bound("storage-bytes-per-turn"),
  ];
  assert.deepEqual(data.log(), expected.map((line) => `info: ${line}`));
  assert.deepEqual(data.failures(), []);
  assert.equal(data.storedKeys.length, 129);
});

test("bytes are the plugin's own, in and out", () => {
  const data = room();
  const ada = data.connect("/ws");
  ada.send("bytes", [0, 255, 128]);
  assert.deepEqual(ada.events(), [{ type: "bytes", is: true, found: [0, 255, 128] }]);
  assert.deepEqual([...data.storedBytes("bytes")!], [0, 255, 128]);
  assert.throws(() => data.stored("bytes"), /the value of "bytes" is not JSON/);
});

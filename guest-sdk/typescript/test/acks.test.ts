/** What a plugin's author can rely on in a test room: acknowledgements, and asking clients. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom, TurnFailed, type TestSocket } from "@parlor/guest/testing";

const room = () => new TestRoom({ entry: "test/rooms/acks.ts" });

/** The frames that follow from one that waits for an acknowledgement. */
function framesOf(socket: TestSocket, type: string, data?: unknown) {
  socket.sendFrame({ type, data, id: 7 });
  return socket.received();
}

function event(type: string, more: object = {}) {
  return { type: "event", channel: "default", data: { type, ...more } };
}

test("the first answer counts, however it is given", () => {
  const ada = room().connect("/ws");
  assert.deepEqual(ada.request("classic", [1]), { got: [1] });
  assert.equal(ada.request("returned"), "it");
  assert.equal(ada.request("later"), "in a job of the turn");
  assert.equal(ada.request("empty"), undefined);
  assert.equal(ada.request("silent"), undefined);
  assert.deepEqual(ada.request("several", 1, 2), [null, 3]);
});

test("an acknowledgement comes behind the turn's emits and before its close", () => {
  const acks = room();
  const ada = acks.connect("/ws");
  assert.deepEqual(framesOf(ada, "classic", 1), [event("before"), event("behind"), { type: "ack", id: 7, data: { got: 1 } }]);
  assert.deepEqual(framesOf(ada, "silent"), [event("heard", { data: true }), { type: "ack", id: 7 }]);
  assert.deepEqual(framesOf(ada, "leave"), [event("bye"), { type: "ack", id: 7, data: "gone" }]);
  assert.deepEqual(ada.closed(), { code: 4000, reason: "bye" });
  assert.throws(() => ada.request("silent"), { name: "TurnFailed", code: "closed" });
});

test("who waits for no acknowledgement gets none", () => {
  const ada = room().connect("/ws");
  ada.send("classic");
  ada.send("silent");
  assert.deepEqual(ada.received(), [event("before"), event("behind"), event("heard", { data: false })]);
});

test("a failed turn is told by its acknowledgement alone, with words for the sender only", () => {
  const acks = room();
  const ada = acks.connect("/ws");
  const error = (type: string) => framesOf(ada, type).map((frame) => frame.error);
  assert.deepEqual(error("reject"), [{ code: "no.way", message: "not here" }]);
  assert.deepEqual(error("throw"), [{ code: "own.code" }]);
  assert.deepEqual(error("unwritable"), [{ code: "invalid" }]);
  assert.deepEqual(error("nobody"), [{ code: "no-handler" }]);
  const words = "large was not handled: its turn passed the bound emit-bytes";
  assert.deepEqual(error("large"), [{ code: "limit-exceeded", message: words }]);
  assert.deepEqual(acks.failures().map(({ code }) => code), ["own.code", "invalid", "emit-bytes"]);
  assert.throws(() => ada.request("throw"), (thrown) => thrown instanceof TurnFailed && thrown.message === "not for clients");
  assert.throws(() => ada.request("nobody"), { event: "nobody", code: "no-handler" });
  assert.deepEqual(ada.received(), []);
});

test("an acknowledgement is given in its turn", () => {
  const acks = room();
  const ada = acks.connect("/ws");
  assert.equal(ada.request("keep"), undefined);
  ada.send("use");
  assert.equal(acks.failures()[0]!.code, "no-turn");
});

test("a client that listens answers what it is asked", () => {
  const acks = room();
  const ada = acks.connect("/ws");
  ada.onAsk("question", (data) => data.number ?? undefined);
  ada.send("ask", { data: { number: 4 } });
  ada.send("ask", {});
  ada.send("ask", { data: [5], spread: true, name: "own" });
  ada.onAsk("question", () => Uint8Array.of(1));
  ada.send("ask", { name: "own" });
  assert.deepEqual(acks.log(), [
    'info: question 1 1 1 { outcome: "answered", data: 4 }',
    'info: question 1 1 1 { outcome: "answered" }',
    'info: own 1 1 1 { outcome: "answered" }',
    'info: own 1 1 1 { outcome: "answered", data: Uint8Array(1) [ 1 ] }',
  ]);
});

test("an ask is a frame with a number, and is answered once, by its own socket", () => {
  const acks = room();
  const [ada, bob] = [acks.connect("/ws"), acks.connect("/ws")];
  ada.send("ask", { data: { a: 1 } });
  ada.send("ask-other", bob.id);
  assert.deepEqual(ada.received(), [{ ...event("question", { a: 1 }), id: 1 }]);
  assert.deepEqual(bob.received(), [{ ...event("question"), id: 2 }]);
  ada.sendFrame({ type: "ack", id: 2, data: "not hers" });
  bob.sendFrame({ type: "ack", id: 2, base64: "AP8=" });
  bob.sendFrame({ type: "ack", id: 2, data: "twice" });
  ada.sendFrame({ type: "ack", data: "no answer, but an event that nobody handles" });
  ada.sendFrame({ type: "ack", id: 1 });
  assert.deepEqual(acks.log(), [
    'info: question 2 1 1 { outcome: "answered", data: Uint8Array(2) [ 0, 255 ] }',
    'info: question 1 1 1 { outcome: "answered" }',
  ]);
});

test("an ask times out, wherever the instance went meanwhile", () => {
  const acks = room();
  const ada = acks.connect("/ws");
  ada.send("ask", {});
  ada.send("ask", { name: "own", timeoutMs: 500 });
  acks.sleep();
  acks.restore("crash");
  acks.swap("test/rooms/acks.ts");
  acks.advance(9_999);
  assert.deepEqual(acks.log(), ['info: own 1 1 1 { outcome: "timeout" }']);
  acks.advance(1);
  assert.deepEqual(acks.log().slice(1), ['info: question 1 1 1 { outcome: "timeout" }']);
  ada.sendFrame({ type: "ack", id: 1, data: "too late" });
  acks.advance(3_600_000);
  assert.equal(acks.log().length, 2);
});

test("whoever leaves answers nothing more", () => {
  const acks = room();
  const ada = acks.connect("/ws");
  ada.send("ask", {});
  ada.close();
  acks.advance(10_000);
  assert.deepEqual(acks.log(), ['info: question 1 3 0 { outcome: "gone" }']);
});

test("a restart forgets asks, and a failed turn asks nobody", () => {
  const acks = room();
  const ada = acks.connect("/ws");
  ada.send("ask-and-fail");
  assert.deepEqual(ada.received(), []);
  ada.send("ask", {});
  assert.deepEqual(ada.received(), [{ ...event("question"), id: 2 }]);
  acks.restart();
  acks.advance(10_000);
  assert.deepEqual(acks.log().filter((line) => line.startsWith("info")), []);
});

test("an answer that nobody handles is only a warning", () => {
  const acks = room();
  const ada = acks.connect("/ws");
  ada.onAsk("question", () => 1);
  ada.send("ask", { name: "unknown" });
  assert.deepEqual(acks.log(), ['warn: nobody handles answers to the ask "unknown": add room.onAck']);
  ada.send("forget");
  assert.equal(acks.log().at(-1), "info: true true true false");
  assert.ok(!acks.registered.includes("$ack"));
  assert.deepEqual(acks.failures(), []);
});

test("what an ask must be is said, and there are bounds", () => {
  const acks = room();
  const ada = acks.connect("/ws");
  ada.send("refused");
  assert.deepEqual(acks.log(), [
    "invalid: an event whose name begins with $ is the host's own",
    "invalid: an ask's name must be 1 to 128 bytes, not 0",
    "invalid: an ask waits 1 to 3600000 ms for its answer",
    "invalid: an ask must time out after 1 to 3600000 ms",
    "invalid: an ask with `spread` takes an array of arguments",
    "no-such-socket: no such socket in this room; it may have left",
  ].map((line) => `info: ${line}`));
  ada.send("ask-often", 64);
  ada.send("ask-often", 1);
  assert.equal(acks.failures().at(-1)!.message, "the bound asks-per-socket would be passed");
  for (let count = 1; count < 16; count += 1) acks.connect("/ws").send("ask-often", 64);
  acks.connect("/ws").send("ask-often", 1);
  assert.equal(acks.failures().at(-1)!.message, "the bound asks-per-room would be passed");
});

test("a room and a client that ask each other for ever are told so", () => {
  const ada = room().connect("/ws");
  ada.onAsk("again", () => true);
  assert.throws(() => ada.send("ask", { event: "again" }), /for ever/);
});

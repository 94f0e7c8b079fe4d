/** What runs within a turn besides its handlers, and what of it fails the turn. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";

function after(event: string) {
  const room = new TestRoom({ entry: "test/rooms/loop.ts" });
  const ada = room.connect("/ws");
  ada.send(event);
  return { room, ada, events: ada.events(), log: room.log(), failures: room.failures() };
}

test("timeouts run in the order in which they are due, within the turn", () => {
  assert.deepEqual(after("order").events, [{ type: "order", data: ["micro", "10", "every", "every", "30", "every"] }]);
});

test("a timeout that nobody waits for is dropped, and the log names what to use", () => {
  const { log, failures } = after("dropped");
  assert.deepEqual([log.length, failures], [1, []]);
  assert.match(log[0]!, /^warn: a timeout was still pending.*ctx\.actor\.timers$/);
});

test("what is queued runs before the turn ends; what hangs on a timeout does not", () => {
  const { events, log } = after("late");
  assert.deepEqual(events, [{ type: "soon" }]);
  assert.match(log[0]!, /^warn: a timeout was still pending/);
});

test("a rejection that nobody handles fails the turn, and the log has its place", () => {
  const { log, failures } = after("lost");
  assert.deepEqual(failures.map(({ code, message }) => [code, message]), [["lost.code", "nobody looked"]]);
  assert.match(log[0]!, /^error: lost\.code: nobody looked\n.*test\/rooms\/loop\.ts:28/);
});

test("what a callback throws fails the turn", () => {
  assert.deepEqual(after("microtask").failures.map(({ code, message }) => [code, message]), [["error", "in a microtask"]]);
  assert.deepEqual(after("callback").failures.map(({ code, message }) => [code, message]), [["error", "in a timeout"]]);
});

test("failures have the code and the words of what was thrown, and the log has the place", () => {
  const told = (event: string) => after(event).failures.map(({ code, message }) => [code, message])[0];
  assert.deepEqual(told("causes"), ["error", "TypeError: outer: inner: root"]);
  assert.deepEqual(told("value"), ["error", '{"odd":1} was thrown, which is no Error']);
  assert.deepEqual(told("code"), ["shop.gone", "no such thing"]);
  assert.match(after("code").log[0]!, /^error: shop\.gone: no such thing\n {4}at .*test\/rooms\/loop\.ts:53/);
});

test("handlers of an event are awaited one by one; the first answer counts", () => {
  assert.deepEqual(after("in-order").events, [{ type: "one" }, { type: "two" }]);
  const ada = new TestRoom({ entry: "test/rooms/loop.ts" }).connect("/ws");
  assert.deepEqual(ada.request("first"), 1);
});

test("the console writes lines of the log, and cuts them where the log would", () => {
  const { log } = after("lines");
  assert.equal(log[0], 'info: a { b: [ 1, "x" ] } Map(1) { "k" => 1 } 100%');
  assert.equal(log[1], `warn: ${"x".repeat(1_024 - 10)} ... (cut)`);
  assert.match(log[2]!, /^debug: some\.code: words\n/);
  assert.equal(log[3], "error: Assertion failed one is not more than two");
});

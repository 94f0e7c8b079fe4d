// What the console makes of a tape: who was in the room and what it stored, turn by turn.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, beginning, copy, failed, outcomeWords, valueWords } from "../../../host/pages/tapestate.js";

const member = (socket, user) => ({ socket, user, client: `c${socket}`, channels: ["default"], fields: "{}", is_present: true });
const turn = (calls, more = {}) => ({
  turn: 1, between: [], event: { cause: "say", name: "say" }, outcome: { answered: null }, verdict: "committed", ...more,
  calls: calls.map(([call, args, answer = null]) => ({ call, args, answer })),
});
const room = () => beginning({ members: [member(1, "ana")], storage: { old: "1", "\u0000parlor/h": "x" }, alarm: 5 });

test("what committed turns write is stored after them, and what is refused or rolled back is not", () => {
  const now = room();
  apply(now, turn([
    ["storage.put", ["a", "x"]], ["storage.put-many", [[{ key: "b", value: "y" }, { key: "c", value: [] }]]],
    ["storage.delete", ["old"], true], ["storage.put", ["no", "z"], { refused: "no-turn" }], ["alarm.set", [9]],
  ]));
  assert.deepEqual([...now.storage], [["a", "x"], ["b", "y"], ["c", []]]);
  assert.equal(now.alarm, 9);
  apply(now, turn([["storage.delete-many", [["a", "b"]], 2]], { verdict: "rolled back, trap: trapped", outcome: { faulted: { code: "trap", words: "x" } } }));
  assert.deepEqual([...now.storage.keys()], ["a", "b", "c"]);
  apply(now, turn([["storage.delete-many", [["a", "b"]], 2], ["alarm.cancel", []]]));
  assert.deepEqual([...now.storage.keys()], ["c"]);
  assert.equal(now.alarm, null);
});

test("sockets come and go between turns, also before one that fails, and turns change what they say of themselves", () => {
  const now = room();
  const before = copy(now);
  apply(now, turn([["sockets.join", [1, "news"]], ["sockets.set-fields", [1, '{"a":1}']]], {
    between: [{ admitted: member(2, "ben") }, { departed: 1 }], verdict: "lost with writes that failed",
  }));
  assert.deepEqual([...now.members.values()].map(({ user, is_present: present }) => [user, present]), [["ana", false], ["ben", true]]);
  assert.deepEqual([now.members.get(1).channels, now.members.get(1).fields], [["default"], "{}"]);
  apply(now, turn([["sockets.join", [2, "news"]], ["sockets.leave", [2, "default"]], ["sockets.set-fields", [2, '{"a":1}']]], { between: [{ forgotten: 1 }] }));
  assert.deepEqual([[...now.members.keys()], now.members.get(2).channels, now.members.get(2).fields], [[2], ["news"], '{"a":1}']);
  assert.deepEqual([...before.members.keys()], [1], "a copy stays as it was");
});

test("a room that stored too much to be taped has no storage, and an alarm that rings is gone", () => {
  const now = beginning({ members: [], storage: null, alarm: 5 });
  apply(now, turn([["storage.put", ["a", "x"]]], { event: { cause: "$alarm", name: "$alarm" } }));
  assert.deepEqual([now.storage, now.alarm], [null, null]);
});

test("each end of a turn has its words, and what left no trace counts as failed", () => {
  const of = (outcome, verdict, event = { cause: "say" }) => ({ outcome, verdict, event });
  for (const [what, words, isFailed] of [
    [of({ ready: { name: "chat", path: "/chat" } }, null, null), "ready", false],
    [of({ unready: "no key" }, null, null), "refused: no key", true],
    [of({ answered: null }, "committed"), "done", false],
    [of({ answered: { json: "1" } }, "committed"), "done, with an answer", false],
    [of({ answered: null }, "rolled back, limit: emits"), "rolled back, limit: emits", true],
    [of({ failed: { code: "full", message: "no seat" } }, "rolled back, full: no seat"), "failed with full: no seat", true],
    [of({ faulted: { code: "trap", words: "trapped" } }, null), "trap: trapped", true],
    [of({ answered: null }, null), "done", false],
  ]) {
    assert.deepEqual([outcomeWords(what), failed(what)], [words, isFailed]);
  }
  assert.deepEqual([valueWords("a"), valueWords([]), valueWords({ base64: "AQ==" })], ["a", "", "base64 AQ=="]);
});

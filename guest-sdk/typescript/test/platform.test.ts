/** What packages count on beyond the language, as a room has it: what node and browsers answer. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";

const EXPECTED: Record<string, unknown> = {
  names: ["PaymentError", "PaymentError", "Player", "Other", "Player", "start"],
  weak: [1, "[object WeakRef]", "WeakRef"],
  headers: [["a=1, x", "b=2"], [["set-cookie", "a=1, x"], ["set-cookie", "b=2"], ["x", "1"]], "TypeError", "[object Headers]"],
  tags: ["[object TextEncoder]", "[object TextDecoder]", "[object Headers]", "[object AbortSignal]"],
  decoder: "TypeError",
  clone: [0, 4, 1, ["DataCloneError", "DataCloneError", "DataCloneError", "DataCloneError"], "TypeError"],
  stack: [null, []],
  utc: ["1/1/1970", "Error"],
  random: ["TypeMismatchError", "QuotaExceededError"],
  blob: [5, "text/plain", "ü", [195, 188, 1, 2, 120], "[object Blob]"],
  key: "HS512",
};

function tried(name: string): { room: TestRoom; answer: unknown } {
  const room = new TestRoom({ entry: "test/rooms/web.ts" });
  const answer = room.connect("/ws").request("try", name);
  return { room, answer };
}

test("classes, bytes, headers, copies and randomness are those of the web", () => {
  for (const [name, expected] of Object.entries(EXPECTED)) assert.deepEqual(tried(name).answer, expected, name);
});

test("console fills in what a text says, and tells where a DOMException came from", () => {
  const lines = tried("console").room.log();
  assert.deepEqual(lines.slice(0, 5), [
    'info: a is 1.5 of 2, 3.5% { b: 1 } rest [ 1 ]',
    "info: 100% 5",
    "info: %s",
    "error: Map(1) { 1 => 2 } and { c: 1 }",
    "info: in group",
  ]);
  assert.match(lines[5]!, /^warn: InvalidCharacterError: .*\n {4}at .*test\/rooms\/web\.ts:57/);
});

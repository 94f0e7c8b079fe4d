/** Where errors come from that the engine throws at an operator: the author's line, whatever the expression begins with. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";

const FILE = "test/rooms/places.ts";
const LINES = readFileSync(FILE, "utf8").split("\n");

/** The line that is marked in the method of this name, or is the arrow of that name itself; from 1. */
function lineOf(name: string): number {
  const begin = LINES.findIndex((line) => new RegExp(`^  (get )?${name}(\\(\\) \\{|: | = )`).test(line));
  return LINES.findIndex((line, at) => at >= begin && line.endsWith("// here")) + 1;
}

const WAYS = [
  "member", "index", "hidden", "written", "called", "mixed", "spread", "looped", "taken", "paired", "inner", "within", "above", "later", "constant",
  "shown", "parameter",
];

for (const way of WAYS) {
  test(`an error has the line that it came from: ${way}`, () => {
    const room = new TestRoom({ entry: FILE });
    room.connect("/ws").send(way);
    const place = /places\.ts:(\d+)/.exec(room.log()[0] ?? "");
    assert.equal(Number(place?.[1]), lineOf(way), room.log()[0]);
  });
}

test("so has one in a getter", () => {
  const room = new TestRoom({ entry: FILE });
  room.connect("/ws").send("getter");
  assert.match(room.log()[0]!, new RegExp(`at get size \\(test/rooms/places\\.ts:${lineOf("size")}\\)`));
});

/** What an author reads of errors within a handler: their own files and lines. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";

function log(event: string): string[] {
  const room = new TestRoom({ entry: "test/rooms/stacks.ts" });
  room.connect("/ws").send(event);
  assert.deepEqual(room.failures(), []);
  return room.log();
}

const INNER = "inner (test/rooms/stacks.ts:9)";

test("the stack of an error has its name, its message and the author's places", () => {
  const [caught] = log("caught");
  assert.match(caught!, new RegExp(`^info: TypeError: inner words\n    at ${INNER.replace(/[()]/g, "\\$&")}\n    at caught \\(test/rooms/stacks.ts:14\\)\n    at test/rooms/stacks.ts:21`));
  assert.match(log("engine")[0]!, /^info: TypeError: cannot read property 'x' of null\n[^]* {4}at test\/rooms\/stacks\.ts:22/);
});

test("so have the parts of an AggregateError, by themselves and in the log", () => {
  const [parts, told] = log("parts");
  assert.match(parts!, /^info: \[ "AggregateError: both", "TypeError: inner words\\n {4}at inner \(test\/rooms\/stacks\.ts:9\)/);
  assert.match(told!, /^error: AggregateError: both\n {4}at .*stacks\.ts:24[^]*\[0\] TypeError: inner words \(at inner \(test\/rooms\/stacks\.ts:9\)\)\n {2}\[1\] b/);
});

test("what captureStackTrace gives any object is told in the same way, and can be overwritten", () => {
  const [own, written, plain] = log("captured");
  assert.match(own!, /^info: Own: words\n {4}at .*stacks\.ts:36/);
  assert.equal(written, 'info: [ "mine", [ "name", "message" ] ]');
  assert.match(plain!, /^info: Error\n {4}at .*stacks\.ts:41/);
});

test("what is written over a stack stays, and its places are told in the log", () => {
  const [told, head] = log("written");
  assert.match(told!, new RegExp(`^error: TypeError: inner words\n    at ${INNER.replace(/[()]/g, "\\$&")}[^]*\n    at home \\(elsewhere\\.ts:1\\)`));
  assert.equal(head, "info: TypeError: inner words");
});

test("a stack is no property of an error's own, as the engine has it", () => {
  assert.equal(log("prototype")[0], "info: [ undefined, false ]");
});

test("a line of the log is written whatever its values do when they are read", () => {
  const [line] = log("unreadable");
  assert.equal(line, 'info: [ [object that cannot be shown], [object that cannot be shown], [function that cannot be shown], { constructor: [TypeError: inner words] } ]');
});

test("structuredClone makes members that an object inherits as read-only", () => {
  assert.match(log("frozen")[0]!, /^info: \{ toString: 1/);
});

test("functions show their sources, those of the bundle and those that are made while it runs", () => {
  const [shown, run] = log("sources");
  assert.match(shown!, /"function inner\(\) ?\{.*throw new TypeError\(.*"class.*#hidden.*"function anonymous\(a,b.*return a \+ b.*"\(?(\w+)\)? ?=> ?\1 ?\+ ?1", "async ?\(\) ?=> ?1", "get hidden/);
  assert.equal(run, "info: [ 3, 1 ]");
});

test("half a surrogate pair may be the name of a member", () => {
  const ada = new TestRoom({ entry: "test/rooms/stacks.ts" }).connect("/ws");
  ada.send("half");
  assert.equal(ada.events().length, 1);
});

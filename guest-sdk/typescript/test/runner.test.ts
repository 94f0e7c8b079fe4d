/** `parlor-guest test`: what it finds, checks, runs and says. */

import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { project, run } from "./project.ts";

const ROOM = `
import { defineRoom } from "verani";
import { double } from "./double.js";
defineRoom().on("double", (ctx, number: number) => void ctx.emit.emit("doubled", double(number)));
`;
const DOUBLE = `
import { reject } from "@parlor/guest";
export function double(number: number): number {
  if (number > 100) reject("too-much", "up to 100");
  return number * 2;
}
`;
const PASSES = `
import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";
import { double } from "../src/double.js";
test("it doubles", () => {
  const ada = new TestRoom().connect("/ws");
  ada.send("double", 4);
  assert.deepEqual(ada.events(), [{ type: "doubled", data: 8 }]);
});
test("a module of its own", () => assert.throws(() => double(101), { code: "too-much" }));
`;

test("it runs all tests of the project it is in, from any folder of it", (t) => {
  const root = project(t, {
    "src/index.ts": ROOM,
    "src/double.ts": DOUBLE,
    "test/double.test.ts": PASSES,
    "test/deep/er.test.js": 'import test from "node:test"; test("in JavaScript", () => {});',
  });
  const { status, out, err } = run(join(root, "src"));
  assert.deepEqual([status, err], [0, ""]);
  for (const name of ["it doubles", "a module of its own", "in JavaScript"]) assert.match(out, new RegExp(`✔ ${name}`));
});

test("it runs the files that are given, and of them what a pattern names", (t) => {
  const files = { "main.ts": ROOM.replace("./", "./src/"), "src/double.ts": DOUBLE, "test/double.test.ts": PASSES };
  const root = project(t, { ...files, "package.json": '{ "parlor": { "entry": "main.ts" } }', "test/other.test.ts": "nonsense" });
  const { status, out } = run(root, "test/double.test.ts", "--only", "it doubles", "--no-check");
  assert.equal(status, 0);
  assert.match(out, /✔ it doubles/);
  assert.doesNotMatch(out, /✔ a module of its own/);
});

test("a test that fails is its exit status, with the place in the author's file", (t) => {
  const failing = PASSES.replace("data: 8", "data: 9");
  const root = project(t, { "src/index.ts": ROOM, "src/double.ts": DOUBLE, "test/double.test.ts": failing });
  const { status, out } = run(root);
  assert.equal(status, 1);
  assert.match(out, /✖ it doubles/);
  assert.match(out, /test\/double\.test\.ts:9:10/);
});

test("types that do not hold run nothing, in tests and beside them", (t) => {
  const root = project(t, {
    "src/index.ts": ROOM,
    "src/double.ts": DOUBLE,
    "test/double.test.ts": PASSES.replace('ada.send("double", 4)', "ada.send(4)"),
    "test/rooms/beside.ts": 'import { defineRoom } from "@parlor/guest";\ndefineRoom({ name: 5 });\n',
  });
  const { status, out, err } = run(root);
  assert.deepEqual([status, out], [1, ""]);
  assert.match(err, /test\/double\.test\.ts\(8,12\): error TS2345/);
  assert.match(err, /test\/rooms\/beside\.ts\(2,14\): error TS2322/);
});

test("what cannot be run is said", (t) => {
  const root = project(t, { "src/index.ts": ROOM, "test/a.test.ts": 'import "./missing.js";' });
  const none = project(t, {});
  const broken = project(t, { "package.json": "{", "test/a.test.ts": "" });
  for (const [folder, args, words] of [
    [root, ["--no-check"], /the tests cannot be bundled\n.*Could not resolve "\.\/missing\.js"/s],
    [root, ["test/b.test.ts"], /there is no file .*test\/b\.test\.ts/],
    [none, [], /no tests: there is no test\/\*\.test\.ts in /],
    [broken, [], /package\.json is not JSON: /],
  ] as const) {
    const { status, err } = run(folder, ...args);
    assert.equal(status, 1);
    assert.match(err, words);
  }
  assert.deepEqual(run(root, "--watch").status, 2);
});

test("a room that cannot be bundled fails the tests that need it, and no others", (t) => {
  const root = project(t, {
    "src/index.ts": 'import "./missing.js";',
    "src/double.ts": DOUBLE,
    "test/double.test.ts": PASSES,
  });
  const { status, out } = run(root, "--no-check");
  assert.equal(status, 1);
  assert.match(out, /✖ it doubles.*Could not resolve "\.\/missing\.js".*✔ a module of its own/s);
});

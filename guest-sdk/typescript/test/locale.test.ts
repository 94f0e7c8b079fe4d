/** What would need a locale, the log's tables and groups, and errors that cannot be read, in a room. */

import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";
import { project } from "./project.js";

/** A room whose event `run` runs these statements. */
function room(t: any, statements: string): TestRoom {
  const text = `import { defineRoom } from "@parlor/guest";\nconst room = defineRoom();\nroom.on("run", (ctx) => {\n${statements}\n});\n`;
  return new TestRoom({ entry: join(project(t, { "src/index.ts": text }), "src/index.ts") });
}

function said(t: any, expressions: string[]): unknown[] {
  const each = expressions.map((text) => `() => ${text}`).join(", ");
  const made = room(t, `ctx.emit.emit("ran", [${each}].map((call) => { try { return call(); } catch (error) { return error.message; } }));`);
  const ada = made.connect("/ws");
  ada.send("run");
  return ada.events()[0].data;
}

test("without a locale it is English and UTC; with another one, or options, it throws", (t) => {
  const numbers = [1234567.8915, 0.0005, 0.1 + 0.2, 999.9995, 1e21, 1.5e22, 1e-7, -0, -0.0001, 5e-324, 123456.7, NaN, -Infinity];
  const texts = said(t, numbers.map((value) => `(${Object.is(value, -0) ? "-0" : value}).toLocaleString()`));
  assert.deepEqual(texts, numbers.map((value) => value.toLocaleString("en-US")));
  const there: [string, unknown][] = [
    ["(1234567.8915).toLocaleString()", "1,234,567.892"],
    ["(-1234).toLocaleString('en-US')", "-1,234"],
    ["(0).toLocaleString()", "0"],
    ["12345678901234567890n.toLocaleString()", "12,345,678,901,234,567,890"],
    ["new Date(Date.UTC(2026, 0, 31, 16, 5, 9)).toLocaleString()", "1/31/2026, 4:05:09 PM"],
    ["new Date(0).toLocaleDateString()", "1/1/1970"],
    ["new Date(0).toLocaleTimeString()", "12:00:00 AM"],
    ["[1234, null, 'x'].toLocaleString()", "1,234,,x"],
    ["'a'.localeCompare('b')", -1],
    ["'e\\u0301'.localeCompare('\\u00e9')", 0],
    ["'I'.toLocaleLowerCase()", "i"],
    ["typeof Intl", "undefined"],
  ];
  assert.deepEqual(said(t, there.map(([text]) => text)), there.map(([, value]) => value));
  const absent = [
    "(1).toLocaleString('de')",
    "(1).toLocaleString(undefined, { style: 'percent' })",
    "new Date(0).toLocaleDateString('de-DE')",
    "'a'.localeCompare('b', 'de')",
    "'a'.localeCompare('b', undefined, { numeric: true })",
    "'I'.toLocaleLowerCase('tr')",
    "new Intl.NumberFormat('de')",
    "[1].toLocaleString('de')",
  ];
  for (const words of said(t, absent)) assert.match(String(words), /is not there in a plugin: its engine knows no locales/);
});

test("a copy takes no prototype from data", (t) => {
  const made = room(t, `const copy: any = structuredClone(JSON.parse('{"__proto__":{"admin":true}}'));
  ctx.emit.emit("ran", { admin: copy.admin ?? "none", keys: Object.keys(copy), plain: Object.getPrototypeOf(copy) === Object.prototype });`);
  const ada = made.connect("/ws");
  ada.send("run");
  assert.deepEqual(ada.events(), [{ type: "ran", admin: "none", keys: ["__proto__"], plain: true }]);
});

test("the log has tables, groups, timers and counts", (t) => {
  const made = room(t, `console.table([{ a: 1, b: "x" }, { a: 2 }]);
  console.group("outer");
  console.log("in\\nside");
  console.count();
  console.count();
  console.time("t");
  console.timeEnd("t");
  console.timeEnd("t");
  console.dir({ a: 1 });
  performance.now() + performance.timeOrigin === Date.now() || console.error("another clock");`);
  const ada = made.connect("/ws");
  ada.send("run");
  ada.send("run");
  const lines = made.log();
  assert.equal(lines[0], "info:   | a | b\n--|---|----\n0 | 1 | 'x'\n1 | 2 |");
  assert.deepEqual(lines.slice(1, 8), [
    "info: outer",
    "info:   in\n  side",
    "info:   default: 1",
    "info:   default: 2",
    "info:   t: 0ms",
    'warn:   there is no timer "t"',
    "info:   { a: 1 }",
  ]);
  // A group ends with its turn.
  assert.match(lines[8]!, /^info: {3}\| a/);
});

test("the parts of an AggregateError are in the log", (t) => {
  const made = room(t, `throw new AggregateError([new TypeError("one"), "two"], "both failed");`);
  made.connect("/ws").send("run");
  const [line] = made.log();
  assert.match(line!, /^error: AggregateError: both failed\n {4}at .*index\.ts:4[^]*\n {2}\[0\] TypeError: one \(at .*index\.ts:4\)\n {2}\[1\] two/);
});

test("an error that cannot be read is a failure all the same", (t) => {
  for (const thrown of [
    `Object.defineProperty(new Error(), "message", { get() { throw new Error("no"); } })`,
    `Object.assign(new Error(), { message: { toString() { throw 1; } } })`,
    `new Proxy({}, { getPrototypeOf() { throw 1; } })`,
    `Object.defineProperty(new Error("x"), "stack", { get() { throw 1; } })`,
    `{ toJSON() { throw 1; } }`,
  ]) {
    const made = room(t, `throw ${thrown};`);
    const ada = made.connect("/ws");
    ada.send("run");
    assert.deepEqual(made.failures().map(({ code }) => code), ["error"], thrown);
    assert.equal(made.log().length, 1, thrown);
  }
});

/** What the top level of a module may not do, and what it has to say. */

import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";
import { project } from "./project.js";

const WRONG: [string, RegExp][] = [
  ["export {};", /this plugin has no room: call defineRoom/],
  ["defineRoom(); defineRoom();", /the second defineRoom/],
  ["defineRoom(5 as any);", /defineRoom takes an object/],
  [`defineRoom({ websocketPath: "ws" });`, /websocketPath must be 1 to 128 bytes.*"ws"/],
  [`defineRoom({ websocketPath: "/t/x" });`, /websocketPath must be/],
  [`defineRoom({ onAlarm: 5 as any });`, /onAlarm must be a function/],
  [`defineRoom({ extractMeta: 5 as any });`, /extractMeta must be a function/],
  [`defineRoom().on("", () => {});`, /room\.on: a name must be a string of 1 to 128 bytes/],
  [`defineRoom().on("é".repeat(65), () => {});`, /room\.on: a name must be a string of 1 to 128 bytes/],
  [`defineRoom().on("a", undefined as any);`, /room\.on\("a"\): the handler must be a function/],
  [`defineRoom().onSuspend("", () => 1);`, /room\.onSuspend: a schema must be/],
  ["defineRoom(); Math.random();", /Math\.random cannot be used at the top level/],
  ["defineRoom(); crypto.randomUUID();", /crypto\.randomUUID cannot be used/],
  ["defineRoom(); (globalThis as any).began = new Date();", /the current time cannot be used/],
  [`defineRoom(); console.log("hi");`, /console\.log cannot be used/],
  [`defineRoom(); config("key");`, /config cannot be used/],
  ["defineRoom(); setTimeout(() => {});", /setTimeout cannot be used/],
];

test("each mistake of a top level is told in its own words", (t) => {
  const files = WRONG.map(([text], at) => [`src/${at}.ts`, `import { config, defineRoom } from "verani";\n${text}\nvoid config;\n`]);
  const root = project(t, Object.fromEntries(files));
  WRONG.forEach(([text, words], at) => {
    assert.throws(() => new TestRoom({ entry: join(root, `src/${at}.ts`) }), words, text);
  });
});

test("times that are given, and promises, are fine there", (t) => {
  const text = `import { defineRoom } from "verani";
const epoch = new Date(0);
let ready = "no";
Promise.resolve("yes").then((word) => (ready = word));
defineRoom({ onConnect: (ctx) => ctx.emit.emit("hello", { year: epoch.getUTCFullYear(), ready }) });
`;
  const root = project(t, { "src/index.ts": text });
  const room = new TestRoom({ entry: join(root, "src/index.ts") });
  assert.deepEqual(room.connect("/ws").events(), [{ type: "hello", year: 1970, ready: "yes" }]);
});

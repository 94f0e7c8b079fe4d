/** What a project's package.json says of its build, and dependencies as npm has them. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";
import { project } from "./project.js";

const CLI = join(process.cwd(), "build/cli.mjs");
const ROOM = `import { defineRoom } from "@parlor/guest";\nconst room = defineRoom();\n`;

function build(cwd: string, ...args: string[]) {
  const usual = ["build", "--entry", "src/index.ts", "--name", "own", "--out", "own.wasm"];
  const { status, stderr } = spawnSync(process.execPath, [CLI, ...usual, ...args], { cwd, encoding: "utf8" });
  return { status, said: stderr };
}

/** A project with these settings of `parlor`. */
const withSettings = (parlor: unknown, files: Record<string, string> = {}) => ({
  "package.json": JSON.stringify({ name: "own", parlor }),
  "src/index.ts": ROOM,
  ...files,
});

/** A dependency of one file. */
const dependency = (name: string, text: string, more: object = {}) => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, main: "index.js", ...more }),
  [`node_modules/${name}/index.js`]: text,
});

test("a setting that cannot be used is told with its key, its value and what to write", (t) => {
  const wrong: [unknown, RegExp][] = [
    [{ esbuild: 5 }, /parlor\.esbuild of .*package\.json is 5: write a table, such as \{ "define"/],
    [{ esbuild: { minify: true } }, /parlor\.esbuild\.minify of .* is true: there is no such setting; there are alias, define, loader/],
    [{ esbuild: { external: ["fs"] } }, /parlor\.esbuild\.external of .* is \["fs"\]: a plugin is one module in a sandbox.*"alias"/],
    [{ esbuild: { define: { DEBUG: false } } }, /parlor\.esbuild\.define\.DEBUG of .* is false: write JavaScript in a string: "false"/],
    [{ esbuild: { alias: { a: 1 } } }, /parlor\.esbuild\.alias\["a"\] of .* is 1: write a package's name or a path/],
    [{ esbuild: { alias: { verani: "./x" } } }, /alias\["verani"\] of .*: this name is the SDK's own/],
    [{ esbuild: { loader: { ".txt": "file" } } }, /loader\["\.txt"\] of .* is "file": write one of "base64", "binary"/],
    [{ esbuild: { loader: { txt: "text" } } }, /loader\["txt"\] of .*: its name must be that of files' ends, such as "\.txt"/],
    [{ topLevel: "lodash" }, /parlor\.topLevel of .* is "lodash": write the names of packages, such as \["some-package"\]/],
    [{ topLevel: ["./lodash"] }, /parlor\.topLevel\[0\] of .* is "\.\/lodash": write the names/],
  ];
  for (const [settings, words] of wrong) {
    const { status, said } = build(project(t, withSettings(settings)), "--no-check");
    assert.equal(status, 1, said);
    assert.match(said.replace(/\s+/g, " "), words);
  }
});

test("a project's aliases, definitions and loaders are those of its room, and code for workers is taken", (t) => {
  const index = `${ROOM}import fs from "node-only";
import kind from "several";
import text from "./words.txt";
declare const LEVEL: number;
declare const process: any;
room.on("run", (ctx) => ctx.emit.emit("ran", { fs, kind, text, level: LEVEL, env: process.env.NODE_ENV }));\n`;
  const esbuild = { alias: { "node-only": "./src/instead.ts" }, define: { LEVEL: "3" }, loader: { ".txt": "text" } };
  const several = { exports: { node: "./node.js", worker: "./worker.js", default: "./index.js" } };
  const files = {
    "src/index.ts": index,
    "src/instead.ts": `export default "instead";`,
    "src/words.txt": "words",
    ...dependency("several", `export default "default";`, several),
    "node_modules/several/node.js": `export default "node";`,
    "node_modules/several/worker.js": `export default "worker";`,
  };
  const root = project(t, withSettings({ esbuild }, files));
  const ada = new TestRoom({ entry: join(root, "src/index.ts") }).connect("/ws");
  ada.send("run");
  assert.deepEqual(ada.events(), [{ type: "ran", fs: "instead", kind: "worker", text: "words", level: 3, env: "production" }]);
});

const CLOCK = "let begun = Date.now(); const { random } = Math; const first = random();\nexports.begun = begun; exports.first = first;\n"
  + "exports.now = () => Date.now(); exports.random = () => random();\n";

test("a dependency that asks for the time while it is loaded is named, with both ways out", (t) => {
  const index = `${ROOM}import * as clock from "clock";\nroom.on("run", (ctx) => ctx.emit.emit("ran", [clock.begun]));\n`;
  const root = project(t, withSettings({}, { "src/index.ts": index, ...dependency("clock", CLOCK) }));
  const { status, said } = build(root, "--no-check");
  assert.equal(status, 1);
  const words = said.replace(/\s+/g, " ");
  assert.match(words, /node_modules\/clock\/index\.js:1.* It is the package "clock" that asks while it is loaded/);
  assert.match(words, /"await import\('clock'\)" in a handler.*"parlor": \{ "topLevel": \["clock"\] \}/);
});

test("one that is called at the author's top level is named with the place of the call", (t) => {
  const index = `${ROOM}import { now } from "clock";\nexport const begun = now();\n`;
  const lazy = dependency("clock", "exports.now = () => Date.now();\n");
  const { status, said } = build(project(t, withSettings({ topLevel: ["clock"] }, { "src/index.ts": index, ...lazy })), "--no-check");
  assert.equal(status, 1);
  assert.match(said.replace(/\s+/g, " "), /src\/index\.ts:4\) It is the package "clock" that asks, which is called here: call it in a handler/);
});

test("a dependency that parlor.topLevel names is given the build's time, with a warning, and the room's later", (t) => {
  const index = `${ROOM}import * as clock from "clock";
room.on("run", (ctx) => {
  const { begun, first } = clock;
  ctx.emit.emit("ran", { frozen: begun > 0 && first < 1, is: clock.now() === Date.now(), differs: clock.random() !== first });
});\n`;
  const root = project(t, withSettings({ topLevel: ["clock", "absent"] }, { "src/index.ts": index, ...dependency("clock", CLOCK) }));
  const { status, said } = build(root, "--no-check");
  assert.equal(status, 0, said);
  assert.match(said, /clock, which parlor\.topLevel allows: the time \(2026-01-01T00:00:00\.000Z, .*\) and the random values .* are the same in all rooms/);
  assert.match(said, /parlor\.topLevel names "absent", which is no part of this plugin/);
  const ada = new TestRoom({ entry: join(root, "src/index.ts") }).connect("/ws");
  ada.send("run");
  assert.deepEqual(ada.events(), [{ type: "ran", frozen: true, is: true, differs: true }]);
});

test("the same files make the same component, with the time that SOURCE_DATE_EPOCH says", (t) => {
  const index = `${ROOM}import { begun } from "clock";\nroom.on("run", (ctx) => ctx.emit.emit("ran", { begun }));\n`;
  const root = project(t, withSettings({ topLevel: ["clock"] }, { "src/index.ts": index, ...dependency("clock", CLOCK) }));
  const made = (epoch: string) => {
    process.env.SOURCE_DATE_EPOCH = epoch;
    t.after(() => delete process.env.SOURCE_DATE_EPOCH);
    const { status, said } = build(root, "--no-check");
    return status === 0 ? readFileSync(join(root, "own.wasm"), "base64") : said;
  };
  const first = made("");
  assert.ok(first === made(""));
  assert.ok(first !== made("86400"));
  assert.match(made("today").replace(/\s+/g, " "), /SOURCE_DATE_EPOCH is "today": write seconds since 1970/);
  made("86400");
  const ada = new TestRoom({ entry: join(root, "src/index.ts") }).connect("/ws");
  ada.send("run");
  assert.deepEqual(ada.events(), [{ type: "ran", begun: 86_400_000 }]);
});

test("a script that throws or returns early leaves the room's time, whatever form its file has", (t) => {
  const index = `${ROOM}import throws from "throws";
import * as returns from "returns";
import { view } from "view";
room.on("run", (ctx) => {
  let words = "";
  try { throws(); } catch (error) { words = error.message; }
  ctx.emit.emit("ran", { words, own: Date.prototype.constructor === Date, kind: returns.kind, self: returns.self, view });
});\n`;
  const root = project(t, withSettings({ topLevel: ["throws", "returns", "view"] }, {
    "src/index.ts": index,
    ...dependency("throws", `module.exports = () => require("./late.js");`),
    "node_modules/throws/late.js": `throw new Error("late");`,
    ...dependency("returns", `#!/usr/bin/env node\n"use strict";\nexports.self = this === exports;\n`
      + `exports.kind = (function () { return typeof this; })();\nfunction a() {}\nfunction a() {}\nreturn;\n`),
    "node_modules/view/package.json": JSON.stringify({ name: "view", type: "module", main: "index.jsx" }),
    "node_modules/view/index.jsx": `const h = (name) => name + Date.now();\n/* @jsx h */\nexport const view = <b />;\n`,
  }));
  const room = new TestRoom({ entry: join(root, "src/index.ts") });
  const ada = room.connect("/ws");
  ada.send("run");
  assert.deepEqual(ada.events(), [{ type: "ran", words: "late", own: true, kind: "undefined", self: true, view: "b1767225600000" }]);
});

test("an import whose name only a running plugin knows is refused in a plugin's own files", (t) => {
  const index = `${ROOM}room.on("run", async (ctx, data) => void (await import(data.name)));\n`;
  const { status, said } = build(project(t, withSettings({}, { "src/index.ts": index })), "--no-check");
  assert.equal(status, 1);
  assert.match(said, /import\(\) needs a name in quotes here[^]*src\/index\.ts:3:\d+/);
});

test("in a dependency it is a warning, and throws with words", (t) => {
  const index = `${ROOM}import { load } from "loads";
room.on("run", async (ctx) => ctx.emit.emit("ran", { words: await load("./x").catch((error) => error.message) }));\n`;
  const root = project(t, withSettings({}, { "src/index.ts": index, ...dependency("loads", "exports.load = (name) => import(name);\n") }));
  const { status, said } = build(root, "--no-check");
  assert.equal(status, 0, said);
  assert.match(said, /this dependency imports by a name that only it knows, which will throw[^]*loads\/index\.js:1:\d+/);
  const ada = new TestRoom({ entry: join(root, "src/index.ts") }).connect("/ws");
  ada.send("run");
  assert.match(ada.events()[0].words, /Dynamic require of "\.\/x" is not supported/);
});

test("what tsc takes for the project, the build takes: ambient declarations, and types that no import names", (t) => {
  const settings = { extends: join(process.cwd(), "tsconfig.base.json"), compilerOptions: { types: ["ambient"] }, include: ["src", "test"] };
  const root = project(t, {
    ...withSettings({ esbuild: { loader: { ".words": "text" } } }),
    "tsconfig.json": JSON.stringify(settings),
    "node_modules/@types/ambient/index.d.ts": "declare const LEVEL: number;\n",
    "src/words.d.ts": `declare module "*.words" { const text: string; export default text; }\n`,
    "src/some.words": "words",
    "src/index.ts": `${ROOM}import text from "./some.words";\nroom.on("run", (ctx) => ctx.emit.emit("ran", { text, is: typeof LEVEL }));\n`,
    // What is wrong in a test is for those who run it.
    "test/room.test.ts": "export const wrong: number = \"text\";\n",
  });
  assert.deepEqual(build(root), { status: 0, said: "" });
  const wrong = project(t, { ...withSettings({}), "src/beside.ts": "export const wrong: number = \"text\";\n" });
  assert.match(build(wrong).said, /^src\/beside\.ts\(1,14\): error TS2322/);
});

test("a top level that never ends is stopped, and told in one line", (t) => {
  const { status, said } = build(project(t, withSettings({}, { "src/index.ts": `${ROOM}for (;;);\n` })), "--no-check");
  assert.equal(status, 1);
  assert.match(said, /^✘ \[ERROR\] it had not ended after 10 s \(while the module's top level ran\)\n$/);
});

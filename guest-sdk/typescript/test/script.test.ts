/** The build of a script for a server: what it may read, and what it says. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { project } from "./project.js";

const CLI = join(process.cwd(), "build/cli.mjs");
const ROOM = `import { defineRoom } from "@parlor/guest";\ndefineRoom({ name: "x", websocketPath: "/x" });\n`;

/** Runs the build as the server does: with a pipe at standard input for as long as it lives. */
async function build(root: string, entry: string, flat = false) {
  const child = spawn(process.execPath, [CLI, "script", JSON.stringify({ root, entry, name: "x", flat })], { stdio: "pipe" });
  const chunks: Buffer[] = [];
  let said = "";
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  const status = await new Promise((done) => child.on("close", done));
  const answer = Buffer.concat(chunks);
  const end = answer.indexOf("\n");
  return { status, said: said.trim(), files: JSON.parse(answer.toString("utf8", 0, end)) as string[], component: answer.subarray(end + 1) };
}

test("a script and the files beside it become a component", async (t) => {
  const root = project(t, { "chat.ts": `${ROOM}import { a } from "./lib/a.js"; import b from "./b.json"; import c from "./c.txt"; export { a, b, c };`, "lib/a.ts": "export const a: number = 1;", "b.json": "{}", "c.txt": "c" });
  const { status, said, files, component } = await build(root, "chat.ts");
  assert.deepEqual([status, said, files], [0, "", ["b.json", "c.txt", "chat.ts", "lib/a.js", "lib/a.ts"]]);
  assert.deepEqual([...component.subarray(0, 4)], [0, 0x61, 0x73, 0x6d]);
});

test("what is wrong is told by file and line, each on a line", async (t) => {
  const root = project(t, { "chat.ts": `${ROOM}import "./lib/b";\nimport "fs";\n`, "lib/b.ts": "\nexport const b = ;" });
  const { status, said, component } = await build(root, "chat.ts");
  assert.deepEqual([status, component.length], [1, 0]);
  assert.deepEqual(said.split("\n").map((line) => line.split(": ")[0]).sort(), ["chat.ts:4:8", "lib/b.ts:2:18"]);
});

test("what lies outside of the folder is not there, however it is asked for", async (t) => {
  const root = project(t, {
    "other/secret.json": `{ "a": "xyzzy" }`,
    "other/secret.ts": "export const xyzzy = ;",
    "own/tsconfig.json": `{ "extends": "../other/secret.json" }`,
  });
  symlinkSync("../other/secret.json", join(root, "own/link.json"));
  symlinkSync("../other", join(root, "own/folder"));
  const ways = [
    `import "../other/secret.json"`, `import "./link.json"`, `import "./folder/secret.json"`, `import "./folder/secret"`, `require("../other/secret.json")`,
    `import ${JSON.stringify(join(root, "other/secret.json"))}`, `import ${JSON.stringify(`file://${join(root, "other/secret.json")}`)}`, `import ".."`,
    `export const f = (n: string) => import("../other/" + n)`, "export const f = (n: string) => import(`./folder/${n}.json`)",
    `export const f = (n: string) => require("./../../../../../../../../../../..${root}/other/" + n + ".json")`,
    `import x from "../other/secret.json" with { type: "text" }; console.log(x)`,
    `import "script:../other/secret.ts"`, `import "script:${root}/other/secret.json"`, `import "script:spy0.ts"`, `export const f = () => import("script:../other/secret.ts")`,
  ];
  const built = ways.map((way, at) => {
    writeFileSync(join(root, `own/spy${at}.ts`), ROOM + way);
    return build(join(root, "own"), `spy${at}.ts`);
  });
  for (const [at, { status, said, files, component }] of (await Promise.all(built)).entries()) {
    assert.equal(status, 1, ways[at]);
    assert.match(said, new RegExp(`^spy${at}\\.ts:3:\\d+: `), ways[at]);
    assert.ok(!said.includes("xyzzy") && component.length === 0, said);
    // The server watches what is named here.
    assert.deepEqual(files.filter((name) => name.startsWith("/") || name.split("/").includes("..")), [], ways[at]);
  }
});

test("the folder of the tenant whose folder holds those of all others ends where they begin", async (t) => {
  const root = project(t, { "a.ts": `${ROOM}import "./b"; import "./other/c";`, "b.ts": "", "other/c.ts": "", "..data/d.ts": ROOM });
  const { status, said, files } = await build(root, "a.ts", true);
  assert.deepEqual(files.filter((name) => name.includes("/")), []);
  assert.deepEqual([status, said], [1, `a.ts:3:22: "./other/c" is in a folder of another tenant, or in none`]);
  // As a ConfigMap has it.
  symlinkSync("..data/d.ts", join(root, "d.ts"));
  assert.equal((await build(root, "d.ts", true)).status, 0);
});

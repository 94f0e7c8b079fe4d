/** Where an error came from: the table that the build writes is the one that the runtime reads. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import vm from "node:vm";
import { place } from "../src/lines.js";
import { project } from "./project.js";

const ROOM = `import { defineRoom } from "verani";
import { twice } from "./twice.ts";
const start = () => 1; // a name that the SDK has as well
const room = defineRoom({});
room.on("x", (ctx, data) => {
  const long = [1, 2, 3].map((n) => twice(n)).filter((n) => n > 2);
  if (long.length > 1)
    throw new Error("here MARK1");
  return start() + MARK2(long);
});
declare function MARK2(list: number[]): number;
`;

test("each place of a bundle is found again", async (t) => {
  const twice = `export function twice(n: number): number {\n  return MARK3(n) * 2;\n}\ndeclare function MARK3(n: number): number;\n`;
  const root = project(t, { "src/index.ts": ROOM, "src/twice.ts": twice });
  const { bundle } = await import(join(process.cwd(), "build/bundle.mjs"));
  const { code, table, placeOf } = await bundle({ entry: join(root, "src/index.ts"), name: "doubles", root, files: new Set() });
  const realm: any = vm.createContext({});
  vm.runInContext(table, realm);
  const lines = code.split("\n");
  for (const [mark, file, line] of [["here MARK1", "src/index.ts", 8], ["MARK2(", "src/index.ts", 9], ["MARK3(", "src/twice.ts", 2]] as const) {
    const at = lines.findIndex((text: string) => text.includes(mark));
    const column = lines[at].indexOf(mark) + 1;
    assert.equal(place(realm.__parlorLines, at + 1, column), `${file}:${line}`, mark);
    assert.deepEqual(placeOf(at + 1, column), { file, line });
  }
  // The SDK's own code is nobody's place, and no name of the author's gives way to one of it.
  const own = code.indexOf("callback") >= 0 ? code.indexOf("callback") : 5;
  assert.equal(place(realm.__parlorLines, 1, own), undefined);
  assert.match(code, /\bstart=\(\)=>1/);
  assert.equal(place({ files: [], lines: "" }, 7, 7), undefined);
  assert.ok(readFileSync(join(root, "src/index.ts"), "utf8").includes("MARK1"));
});

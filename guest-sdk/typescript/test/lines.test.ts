/** Where an error came from: places of the bundle. `loop.test.ts` has what the engine makes of them. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { project } from "./project.js";

const ROOM = `import { defineRoom } from "verani";
import { twice } from "./twice.ts";
const start = () => 1; // a name that the SDK has as well
const room = defineRoom({});
room.on("x", (ctx, data) => {
  const long = [1, 2, 3].map((n) => twice(n)).filter((n) => n > 2);
  if (long.length > 1)
    throw new Error("größer 😀 here MARK1");
  return start() + MARK2(long);
});
declare function MARK2(list: number[]): number;
`;

test("each place of a bundle is found again", async (t) => {
  const twice = `export function twice(n: number): number {\n  return MARK3(n) * 2;\n}\ndeclare function MARK3(n: number): number;\n`;
  const root = project(t, { "src/index.ts": ROOM, "src/twice.ts": twice });
  const { bundle } = await import(join(process.cwd(), "build/bundle.mjs"));
  const { code, placeOf } = await bundle({ entry: join(root, "src/index.ts"), name: "doubles", root, files: new Set() });
  const lines = code.split("\n");
  for (const [mark, file, line] of [["here MARK1", "src/index.ts", 8], ["MARK2(", "src/index.ts", 9], ["MARK3(", "src/twice.ts", 2]] as const) {
    const at = lines.findIndex((text: string) => text.includes(mark));
    const column = Buffer.byteLength(lines[at].slice(0, lines[at].indexOf(mark))) + 1;
    assert.deepEqual(placeOf(at + 1, column), { file, line }, mark);
  }
  // The SDK's own code is nobody's place, and no name of the author's gives way to one of it.
  const own = code.indexOf("callback") >= 0 ? code.indexOf("callback") : 5;
  assert.equal(placeOf(1, own), undefined);
  assert.match(code, /\bstart=__name\(\(\)=>1,"start"\)/);
  assert.ok(readFileSync(join(root, "src/index.ts"), "utf8").includes("MARK1"));
});

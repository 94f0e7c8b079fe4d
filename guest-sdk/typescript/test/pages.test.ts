/** The TypeScript of the repository's pages: each block is a room that starts, or the tests of the room before it, which pass. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { project, run } from "./project.ts";

const REPOSITORY = join(process.cwd(), "../..");
/** What a block that only registers handlers stands behind. */
const PRELUDE = 'import { defineRoom } from "@parlor/guest";\nconst room = defineRoom();\n';

interface Block {
  place: string;
  text: string;
}

/** The blocks of TypeScript in a page, with their lines. */
function blocksOf(page: string): Block[] {
  const text = readFileSync(join(REPOSITORY, page), "utf8");
  return Array.from(text.matchAll(/^```ts\n([^]*?)^```$/gm), ({ 1: block, index }) => {
    return { place: `${page}:${text.slice(0, index).split("\n").length}`, text: block! };
  });
}

function pages(): string[] {
  const names = readdirSync(join(REPOSITORY, "docs"), { recursive: true, encoding: "utf8" });
  return ["README.md", ...names.filter((name) => name.endsWith(".md")).map((name) => join("docs", name))].sort();
}

const isTest = ({ text }: Block) => text.includes('from "node:test"');
const roomOf = ({ text }: Block) => (text.includes("defineRoom") ? text : PRELUDE + text);

test("each room of the pages builds and starts", (t) => {
  const rooms = pages().flatMap(blocksOf).filter((block) => !isTest(block));
  assert.ok(rooms.length >= 8, `only ${rooms.length} rooms were found`);
  const starts = rooms.map(({ place }, number) => `test("${place}", () => void new TestRoom({ entry: "test/room${number}.ts" }));\n`);
  const imports = 'import test from "node:test";\nimport { TestRoom } from "@parlor/guest/testing";\n';
  const { status, out, err } = run(project(t, {
    "src/index.ts": PRELUDE,
    "test/rooms.test.ts": imports + starts.join(""),
    ...Object.fromEntries(rooms.map((room, number) => [`test/room${number}.ts`, roomOf(room)])),
  }));
  assert.deepEqual([status, err], [0, ""], `${rooms.map(({ place }, number) => `room${number} is ${place}`).join("\n")}\n${out}${err}`);
  assert.match(out, new RegExp(`pass ${rooms.length}\n`));
});

test("the tests of the pages pass with the rooms that they test", (t) => {
  let found = 0;
  for (const page of pages()) {
    const blocks = blocksOf(page);
    for (const [number, block] of blocks.entries()) {
      if (!isTest(block)) continue;
      const { status, out, err } = run(project(t, { "src/index.ts": roomOf(blocks[number - 1]!), "test/page.test.ts": block.text }));
      assert.deepEqual([status, err], [0, ""], `${block.place}\n${out}${err}`);
      found += 1;
    }
  }
  assert.ok(found >= 1, "no tests were found");
});

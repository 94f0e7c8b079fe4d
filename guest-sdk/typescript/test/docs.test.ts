/** The examples in the documentation of the test room hold. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { project, run } from "./project.ts";

/** The examples of a file: blocks of TypeScript in its comments. */
function examples(file: string): string[] {
  const blocks = readFileSync(file, "utf8").matchAll(/^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm);
  return Array.from(blocks, ([, block]) => block!.replaceAll(/^ *\* ?/gm, ""));
}

/** Another version of the room, whose states have this schema. */
function version(taken: string): string {
  return `import { defineRoom } from "@parlor/guest";
const room = defineRoom();
room.onSuspend("count/2", () => 0);
room.onResume("${taken}", () => undefined);`;
}

test("the README's test of the README's room passes", (t) => {
  const [room, tests] = readFileSync("README.md", "utf8").match(/(?<=^```ts\n)[^]*?(?=^```$)/gm)!;
  const { status, out, err } = run(project(t, { "src/index.ts": room!, "test/chat.test.ts": tests! }));
  assert.deepEqual([status, err], [0, ""], out + err);
});

test("each example of the test room runs", (t) => {
  const [whole, ...parts] = ["types/testing.d.ts", "types/test-socket.d.ts"].flatMap(examples);
  const body = (block: string) => `{
  const room = new TestRoom();
  const [ada, bob] = ["ada", "bob"].map((userId) => room.connectAs({ userId })) as [TestSocket, TestSocket];
  void bob;
  {\n${block}  }
}`;
  const tests = parts.map((block, number) => `test("example ${number + 1}", () => ${body(block)});`);
  const names = "ConnectionRefused, TestRoom, TurnFailed, type SentFrame, type TestSocket";
  const imports = ['assert from "node:assert/strict"', 'test from "node:test"', `{ ${names} } from "@parlor/guest/testing"`];
  const root = project(t, {
    "src/index.ts": readFileSync("test/docs/index.ts", "utf8"),
    "test/whole.test.ts": whole!,
    "test/parts.test.ts": [...imports.map((name) => `import ${name};`), ...tests].join("\n"),
    "test/version2.ts": version("count/1"),
    "test/version3.ts": version("count/1"),
  });
  const { status, out, err } = run(root);
  assert.deepEqual([status, err], [0, ""], out + err);
  assert.match(out, new RegExp(`pass ${parts.length + 1}\n`));
  assert.ok(parts.length > 25, `only ${parts.length} examples were found`);
});

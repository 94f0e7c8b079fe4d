/** What a build keeps of the engine's memory, and how it tells that the engine stopped. */

import assert from "node:assert/strict";
import test from "node:test";

const { dataOf, evaluated, TopLevelFailed } = await import(`${process.cwd()}/build/engine.mjs`);
const { number, readNumber, section } = await import(`${process.cwd()}/build/wasm.mjs`);

/** The memory that a data section makes, and of how many pieces. */
function memoryOf(data: Uint8Array, size: number) {
  const memory = new Uint8Array(size);
  const pieces = readNumber(data, 0);
  let at = pieces.end;
  for (let left = pieces.value; left > 0; left -= 1) {
    // The memory, `i32.const`, the place, `end`.
    const place = readNumber(data, at + 2);
    const length = readNumber(data, place.end + 1);
    at = length.end + length.value;
    memory.set(data.subarray(length.end, at), place.value);
  }
  return { memory, pieces: pieces.value };
}

test("a memory of many pieces is kept as fewer larger ones, and is the same", () => {
  const memory = new Uint8Array(65_536);
  for (let at = 0; at < 32_768; at += 64) memory[at] = 1;
  for (let at = 32_768; at < memory.length; at += 4_096) memory[at] = 2;
  assert.deepEqual(memoryOf(dataOf(memory), memory.length), { memory, pieces: 520 });
  assert.deepEqual(memoryOf(dataOf(memory, 519), memory.length), { memory, pieces: 8 });
  assert.deepEqual(memoryOf(dataOf(memory, 1), memory.length), { memory, pieces: 1 });
});

/** An engine whose evaluation is this. */
function engineThat(...evaluate: number[]): Buffer {
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const names = ["parlor_source", "parlor_lines", "parlor_evaluate", "parlor_said"];
  const bodies = [[0x41, 0], [0x41, 0], evaluate, [0x41, 0]].map((body) => [body.length + 2, 0, ...body, 0x0b]);
  return Buffer.concat([
    Buffer.from("\0asm\x01\0\0\0"),
    // Functions of one number, of two, and of none, which answer one.
    section(1, Buffer.of(3, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 1, 0x7f, 0x60, 0, 1, 0x7f)),
    section(3, Buffer.of(4, 0, 1, 2, 2)),
    section(5, Buffer.of(1, 0, 1)),
    section(7, Buffer.of(5, ...name("memory"), 2, 0, ...names.flatMap((one, at) => [...name(one), 0, at]))),
    section(10, Buffer.concat([number(4), ...bodies.map((body) => Buffer.from(body))])),
  ]);
}

test("an engine that stops, or recurses without end, fails the top level in words", async () => {
  const bundle = { code: "", table: { content: Buffer.alloc(0), count: 0 } };
  const [unreachable, itself] = [[0], [0x10, 2]];
  const failed = (words: RegExp) => (error: Error) => error instanceof TopLevelFailed && words.test(error.message);
  await assert.rejects(evaluated({ module: engineThat(...unreachable) }, bundle), failed(/^the engine stopped: RuntimeError: unreachable$/));
  await assert.rejects(evaluated({ module: engineThat(...itself) }, bundle), failed(/^the engine stopped: RangeError: /));
});

/**
 * The engine of plugins: a component that `parlor` carries, whose module is quickjs-ng with the contract's functions
 * (`engine/`). A plugin is the engine with the memory that it has when it has evaluated the plugin's bundle.
 */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { number, ofSections, readNumber, sections, signed } from "./wasm.mjs";

/** Of a component. */
const CUSTOM = 0;
const CORE_MODULE = 1;
/** The custom section with the component for plugins that call nothing of what the contract got after its first edition. */
const FIRST_EDITION = "parlor-first-edition";
/** Of a module. */
const IMPORTS = 2;
const MEMORY = 5;
const DATA = 11;
const DATA_COUNT = 12;

const PAGE = 65_536;
/** So many zeros between two pieces of memory cost less than a beginning. */
const GAP = 32;
/** More pieces than 100,000 are refused by who reads modules. */
const MOST_PIECES = 90_000;

/** How long a bundle's top level may take: of CPU time, where others leave it some of the machine, and in any case. */
const EVALUATION_MS = 10_000;
const EVALUATION_WALL_MS = 60_000;
/** The engine ends recursion by its own bound, which must come first. */
const STACK_MB = 16;

/** The top level of a bundle failed, in the engine's words: its message, then the places. */
export class TopLevelFailed extends Error {}

/** Where the engine is: what `parlor` says, else where it wrote it with the SDK, else where the repository's build leaves it. */
function enginePath() {
  const sdk = fileURLToPath(new URL("..", import.meta.url));
  const places = [process.env.PARLOR_ENGINE, join(sdk, "engine.wasm"), join(sdk, "../../target/engine.wasm")];
  const found = places.find((place) => place !== undefined && (statSync(place, { throwIfNoEntry: false })?.size ?? 0) > 0);
  if (found === undefined) throw new Error("the engine of plugins is missing: build with `parlor build`, which brings it");
  return found;
}

/**
 * The engine: its component, its module, and the component without imports that came after the contract's first edition, whose
 * module has the import section alone.
 */
export function engine() {
  const component = readFileSync(enginePath());
  const found = [...sections(component)].find(({ id }) => id === CORE_MODULE);
  const earlier = [...sections(component)].map(firstEdition).find((content) => content !== undefined);
  if (found === undefined || earlier === undefined) throw new Error(`${enginePath()} is not the engine of plugins`);
  return { component, module: found.content, earlier };
}

/** The content of a section, if it is the one with that component. */
function firstEdition({ id, content }) {
  if (id !== CUSTOM) return undefined;
  const { value, end } = readNumber(content, 0);
  const name = content.subarray(end, end + value).toString();
  return name === FIRST_EDITION ? content.subarray(end + value) : undefined;
}

/** The engine's module with a bundle evaluated in it. */
export async function evaluated({ module }, { code, table }) {
  const memory = await memoryWith({ module, code, table });
  const pages = number(memory.length / PAGE);
  const parts = [];
  for (const { id, content } of sections(module)) {
    if (id === MEMORY) parts.push({ id, content: withPages(content, pages) });
    else if (id === DATA) parts.push({ id, content: dataOf(memory) });
    else if (id !== DATA_COUNT && id !== 0) parts.push({ id, content });
  }
  return ofSections(module, parts);
}

/** The engine's component with another module in its place: the one that imports all of the contract, or the one that does not. */
export function componentOf({ component, earlier }, module, importsAll) {
  let isFirst = true;
  const parts = [...sections(importsAll ? component : earlier)].map((part) => {
    if (part.id !== CORE_MODULE || !isFirst) return part;
    isFirst = false;
    return { id: CORE_MODULE, content: importsAll ? module : withImports(module, part.content) };
  });
  return ofSections(component, parts.filter((part) => firstEdition(part) === undefined));
}

/** A module with the imports of another one, which are as many and of the same types. */
function withImports(module, other) {
  const imports = [...sections(other)].find(({ id }) => id === IMPORTS);
  return ofSections(module, [...sections(module)].map((part) => (part.id === IMPORTS ? imports : part)));
}

/** The memory of an engine that has evaluated a bundle, in a thread that is stopped if that takes too long. */
function memoryWith(workerData) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("evaluate.mjs", import.meta.url), {
      workerData,
      resourceLimits: { stackSizeMb: STACK_MB },
    });
    let late, begun;
    const stop = () => {
      const left = EVALUATION_MS - cpuSince(begun.cpu);
      if (left > 0 && performance.now() - begun.at < EVALUATION_WALL_MS) {
        late = setTimeout(stop, Math.max(left, 100));
        return;
      }
      void worker.terminate();
      reject(new TopLevelFailed(`it had not ended after ${EVALUATION_MS / 1_000} s`));
    };
    worker.on("message", ({ isReady = false, memory, said }) => {
      // On a busy machine the thread and its engine take a while, which is no fault of the top level.
      if (isReady) {
        begun = { at: performance.now(), cpu: process.cpuUsage() };
        late = setTimeout(stop, EVALUATION_MS);
      } else if (memory === undefined) reject(new TopLevelFailed(said));
      else resolve(memory);
    });
    worker.on("error", (error) => reject(isOfEngine(error) ? new TopLevelFailed(`the engine stopped: ${error}`) : error));
    worker.on("exit", () => clearTimeout(late));
  });
}

/** The milliseconds of CPU time of this process since then: the thread is all that runs in it meanwhile. */
function cpuSince(before) {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Whether an error is what a top level brought the engine to, such as all memory in use: another one is a fault of ours. */
function isOfEngine({ name, code }) {
  return ["RuntimeError", "RangeError"].includes(name) || code === "ERR_WORKER_OUT_OF_MEMORY";
}

/** A memory section whose memory begins with so many pages. */
function withPages(content, pages) {
  const [count, flags] = content;
  if (count !== 1) throw new Error("the engine has one memory");
  const { end } = readNumber(content, 2);
  return Buffer.concat([Buffer.of(count, flags), pages, content.subarray(end)]);
}

/** A data section with all of a memory that is not zero. */
export function dataOf(memory, most = MOST_PIECES) {
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.length / 4);
  let gap = GAP;
  let pieces = piecesOf(words, gap);
  while (pieces.length > most) {
    gap *= 2;
    pieces = piecesOf(words, gap);
  }
  const parts = pieces.flatMap(({ from, end }) => {
    const bytes = memory.subarray(from, end);
    // Active, in the first memory, at a constant.
    return [Buffer.of(0, 0x41), signed(from), Buffer.of(0x0b), number(bytes.length), bytes];
  });
  return Buffer.concat([number(pieces.length), ...parts]);
}

/** Where a memory is not zero, apart by so many zeros at least. */
function piecesOf(words, gap) {
  const pieces = [];
  for (let at = 0; at < words.length; ) {
    const from = at;
    at += 1;
    if (words[from] === 0) continue;
    let end = at;
    for (; at < words.length && at - end < gap / 4; at += 1) if (words[at] !== 0) end = at + 1;
    pieces.push({ from: from * 4, end: end * 4 });
  }
  return pieces;
}

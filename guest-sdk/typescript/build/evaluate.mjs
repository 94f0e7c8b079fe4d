/** Evaluates a bundle in the engine, as a thread of its own: see `engine.mjs`. */

import { parentPort, workerData } from "node:worker_threads";

const compiled = new WebAssembly.Module(workerData.module);
const imports = {};
for (const { module: from, name } of WebAssembly.Module.imports(compiled)) {
  // The SDK refuses what needs the host, in words; the engine itself asks for the time alone.
  (imports[from] ??= {})[name] = () => 0;
}
const { exports } = new WebAssembly.Instance(compiled, imports);
const { memory, parlor_source: sourcePlace, parlor_lines: linesPlace, parlor_evaluate: evaluate, parlor_said: said } = exports;

const { code, table } = workerData;
const source = Buffer.from(code);
const at = sourcePlace(source.length);
new Uint8Array(memory.buffer).set(source, at);
const lines = linesPlace(table.content.length, table.count);
new Uint8Array(memory.buffer).set(table.content, lines);
parentPort.postMessage({ isReady: true });
if (evaluate()) {
  parentPort.postMessage({ memory: new Uint8Array(memory.buffer) });
} else {
  const words = said();
  const [from, length] = new Uint32Array(memory.buffer, words, 2);
  parentPort.postMessage({ said: Buffer.from(memory.buffer, from, length).toString() });
}

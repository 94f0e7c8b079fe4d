/** What a component says of its origin, as WebAssembly's tool conventions have it: `parlor check` shows it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SDK } from "./bundle.mjs";
import { number, section } from "./wasm.mjs";

/** The custom section `producers`, to stand behind all others. */
export function producers() {
  const { name, version } = JSON.parse(readFileSync(join(SDK, "package.json"), "utf8"));
  const tools = [[name, version]];
  const content = [text("producers"), list([field("language", [["TypeScript", ""]]), field("processed-by", tools)])];
  return section(0, Buffer.concat(content));
}

function field(name, values) {
  return Buffer.concat([text(name), list(values.map((pair) => Buffer.concat(pair.map(text))))]);
}

function list(items) {
  return Buffer.concat([number(items.length), ...items]);
}

function text(words) {
  const bytes = Buffer.from(words);
  return Buffer.concat([number(bytes.length), bytes]);
}

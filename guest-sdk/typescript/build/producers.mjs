/** What a component says of its origin, as WebAssembly's tool conventions have it: `parlor check` shows it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SDK } from "./bundle.mjs";

/** The custom section `producers`, to stand behind all others. */
export function producers() {
  const { name, version, dependencies } = JSON.parse(readFileSync(join(SDK, "package.json"), "utf8"));
  const tools = [
    ["componentize-qjs", dependencies["componentize-qjs"]],
    [name, version],
  ];
  const content = [text("producers"), list([field("language", [["TypeScript", ""]]), field("processed-by", tools)])];
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.of(0), number(body.length), body]);
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

/** Unsigned LEB128. */
function number(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.of(...bytes, value);
}

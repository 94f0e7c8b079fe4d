/** The table by which `src/lines.ts` finds the author's file and line of a place in the bundle. Both name its form. */

import { decode } from "@jridgewell/sourcemap-codec";

const TABLE = "__parlorLines";
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function vlq(number) {
  let left = number < 0 ? -number * 2 + 1 : number * 2;
  let text = "";
  do {
    const bits = left % 32;
    left = Math.floor(left / 32);
    text += DIGITS[bits + (left > 0 ? 32 : 0)];
  } while (left > 0);
  return text;
}

/**
 * The statement that leaves the table, to stand behind the bundle. `nameOf` gives a source of the map the name that authors
 * know it by, or nothing where it is not theirs.
 */
export function lineTable(map, nameOf) {
  const { sources, mappings } = JSON.parse(map);
  const files = [];
  const numberOf = sources.map((source) => {
    const name = nameOf(source);
    return name === undefined ? -1 : files.push(name) - 1;
  });
  const lines = decode(mappings).map((segments) => {
    let text = "";
    let [column, file, line] = [0, 0, 0];
    let before;
    for (const [at, source, original] of segments) {
      const number = source === undefined ? -1 : numberOf[source];
      if (number < 0 || before === `${number}:${original}`) continue;
      before = `${number}:${original}`;
      text += vlq(at - column) + vlq(number - file) + vlq(original - line);
      [column, file, line] = [at, number, original];
    }
    return text;
  });
  const table = JSON.stringify({ files, lines: lines.join(";").replace(/;+$/, "") });
  return `\nglobalThis.${TABLE} = ${table};\n`;
}

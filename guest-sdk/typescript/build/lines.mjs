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
 * Where the lines of a bundle came from: the author's files, and for each line the places in it where something from another
 * line of theirs begins. `nameOf` gives a source of the map the name that authors know it by, or nothing where it is not theirs.
 */
export function linesOf(map, nameOf) {
  const { sources, mappings } = JSON.parse(map);
  const files = [];
  const numberOf = sources.map((source) => {
    const name = nameOf(source);
    return name === undefined ? -1 : files.push(name) - 1;
  });
  const lines = decode(mappings).map((segments) => {
    const parts = [];
    for (const [column, source, line] of segments) {
      const file = source === undefined ? -1 : numberOf[source];
      const before = parts.at(-1);
      // One place stands for all of the SDK's own that follow it.
      const [number, original] = file < 0 ? [-1, 0] : [file, line];
      if (before === undefined ? file < 0 : before.file === number && before.line === original) continue;
      parts.push({ column, file: number, line: original });
    }
    return parts;
  });
  return { files, lines };
}

/** The author's file and line of a place in the bundle, all counted from 1; none for what is not theirs. */
export function placeOf({ files, lines }, line, column) {
  const part = lines[line - 1]?.findLast((candidate) => candidate.column <= column - 1);
  return part === undefined || part.file < 0 ? undefined : { file: files[part.file], line: part.line + 1 };
}

/** The statement that leaves the table, to stand behind the bundle. */
export function lineTable({ files, lines }) {
  const texts = lines.map((parts) => {
    let [column, file, line] = [0, 0, 0];
    let text = "";
    for (const part of parts) {
      text += vlq(part.column - column) + vlq(part.file - file) + vlq(part.line - line);
      ({ column, file, line } = part);
    }
    return text;
  });
  return `\nglobalThis.${TABLE} = ${JSON.stringify({ files, lines: texts.join(";").replace(/;+$/, "") })};\n`;
}

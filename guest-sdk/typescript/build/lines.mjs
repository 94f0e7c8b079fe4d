/** Where places of a bundle came from; `engine/lines.c` reads the table of them. */

import { decode } from "@jridgewell/sourcemap-codec";

/**
 * Where the lines of a bundle came from: the author's files, and for each line the places in it where something from another
 * line of theirs begins, in bytes, as the engine counts. `nameOf` gives a source of the map the name that authors know it by, or nothing where it is not theirs.
 */
export function linesOf(map, code, nameOf) {
  const { sources, mappings } = JSON.parse(map);
  const files = [];
  const numberOf = sources.map((source) => {
    const name = nameOf(source);
    return name === undefined ? -1 : files.push(name) - 1;
  });
  const texts = code.split("\n");
  const lines = decode(mappings).map((segments, at) => {
    const parts = [];
    let [unit, column] = [0, 0];
    for (const [start, source, line] of segments) {
      column += Buffer.byteLength(texts[at].slice(unit, start));
      unit = start;
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

/** The table as the engine has it: how many places there are, and the places with the names of the files behind them. */
export function lineTable({ files, lines }) {
  const places = lines.flatMap((parts, line) => parts.map((part) => [line, part.column, part.file, part.line]));
  const names = Buffer.from(files.map((name) => `${name}\0`).join(""));
  return { count: places.length, content: Buffer.concat([Buffer.from(Int32Array.from(places.flat()).buffer), names]) };
}

/**
 * The module of a room for a `TestRoom`: what a component has as its module, which node runs.
 *
 * Run as a program (`node room.mjs ENTRY OUT`) it is what a test starts for a module that `parlor-guest test` did not expect.
 */

import { formatMessages } from "esbuild";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join, parse } from "node:path";
import { pathToFileURL } from "node:url";
import { bundle } from "./bundle.mjs";
import { engine, evaluated, TopLevelFailed } from "./engine.mjs";
import { projectOf } from "./project.mjs";
import { topLevelWords } from "./words.mjs";

/** The name of a project's plugin, which its `package.json` says; else that of the file. */
function nameOf(entry, root) {
  try {
    return JSON.parse(readFileSync(join(root, "package.json"), "utf8")).name ?? parse(entry).name;
  } catch {
    return parse(entry).name;
  }
}

/** Makes a room's module in the file `out`. What esbuild does not take is thrown as an error in its words. */
export async function bundleRoom(entry, out) {
  const root = projectOf(dirname(entry));
  let bundled;
  try {
    bundled = await bundle({ entry, name: nameOf(entry, root), root, files: new Set() });
    const module = await evaluated(engine(), bundled);
    // Several tests may ask for it at once.
    const part = `${out}.${process.pid}.part`;
    writeFileSync(part, module);
    renameSync(part, out);
  } catch (failed) {
    if (failed instanceof TopLevelFailed) throw new Error(topLevelWords(failed, bundled.placeOf));
    if (!Array.isArray(failed.errors)) throw failed;
    const messages = await formatMessages(failed.errors, { kind: "error", color: false });
    throw new Error(`cannot bundle ${basename(entry)}:\n${messages.join("").trimEnd()}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    await bundleRoom(process.argv[2], process.argv[3]);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

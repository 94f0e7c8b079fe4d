/**
 * The module of a room, bundled for a `TestRoom`: as for a component, but a script that node evaluates anew for every instance.
 *
 * Run as a program (`node room.mjs ENTRY OUT`) it is what a test starts for a module that `parlor-guest test` did not expect.
 */

import { formatMessages } from "esbuild";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join, parse } from "node:path";
import { pathToFileURL } from "node:url";
import { bundle, SDK, SDK_FILES } from "./bundle.mjs";
import { projectOf } from "./project.mjs";

const REALM = JSON.stringify(join(SDK, "src/testing/realm.ts"));

/** Resolves the contract's imports to the test room's functions. */
const host = {
  name: "parlor-test-host",
  setup(build) {
    build.onResolve({ filter: /^parlor:room\// }, ({ path }) => {
      return { path: path.replace(/^parlor:room\/|@.*$/g, ""), namespace: "parlor-test-host" };
    });
    build.onLoad({ filter: /.*/, namespace: "parlor-test-host" }, ({ path }) => {
      return { contents: `module.exports = require(${REALM}).host(${JSON.stringify(path)});`, resolveDir: SDK };
    });
  },
};

const FORM = {
  format: "iife",
  globalName: "parlorRoom",
  before: () => [`import { given } from ${REALM};`, ...SDK_FILES],
  exports: ["guest", "given"],
  plugins: [host],
};

/** The name of a project's plugin, which its `package.json` says; else that of the file. */
function nameOf(entry, root) {
  try {
    return JSON.parse(readFileSync(join(root, "package.json"), "utf8")).name ?? parse(entry).name;
  } catch {
    return parse(entry).name;
  }
}

/** Bundles a module into the file `out`. What esbuild does not take is thrown as an error in its words. */
export async function bundleRoom(entry, out) {
  const root = projectOf(dirname(entry));
  try {
    const { code, table } = await bundle({ entry, name: nameOf(entry, root), root, files: new Set(), form: FORM });
    // Several tests may ask for it at once.
    const part = `${out}.${process.pid}.part`;
    writeFileSync(part, JSON.stringify({ code, table }));
    renameSync(part, out);
  } catch (failed) {
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

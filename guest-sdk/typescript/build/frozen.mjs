/**
 * Dependencies that may ask for time and randomness at their top level, because `parlor.topLevel` names them: what they are
 * given there is made once, when the plugin is built, and the same in each build of the same files.
 */

import { readFile } from "node:fs/promises";
import { sep } from "node:path";
import * as esbuild from "esbuild";

/** `src/globals-frozen.ts` defines it. */
const OURS = "__parlorFrozen";

/** The moment at which all plugins are built, so that two builds can be compared. */
const MOMENT = Date.UTC(2026, 0, 1);

/** That moment, or the one that https://reproducible-builds.org/specs/source-date-epoch/ has a name for. */
function builtAt() {
  const seconds = process.env.SOURCE_DATE_EPOCH;
  if (seconds === undefined || seconds === "") return MOMENT;
  if (/^\d{1,11}$/.test(seconds)) return Number(seconds) * 1_000;
  const text = `SOURCE_DATE_EPOCH is ${JSON.stringify(seconds)}: write seconds since 1970, such as ${MOMENT / 1_000}, or leave it out`;
  throw Object.assign(new Error(text), { errors: [{ text }] });
}

/** Whether a file is a module of the language's, which only its own top level may import and export. */
async function isModule(path, contents) {
  if (!/\b(?:import|export)\b/.test(contents)) return false;
  if (/\.[cm]?tsx?$/.test(path)) return true;
  const stdin = { contents, sourcefile: path, loader: "jsx" };
  // What cannot be parsed is told with the bundle.
  const read = esbuild.build({ stdin, bundle: true, external: ["*"], format: "esm", metafile: true, write: false, logLevel: "silent" });
  const metafile = await read.then((result) => result.metafile, () => undefined);
  return metafile === undefined || Object.values(metafile.inputs).some(({ format }) => format === "esm");
}

/** A file with ours in place while it is evaluated. A script may return early, and throw where somebody catches that. */
async function wrapped(path, text) {
  const contents = text.replace(/^\uFEFF?#!.*/, "");
  if (await isModule(path, contents)) return `${OURS}.enter();${contents}\n${OURS}.leave();`;
  return `${OURS}.enter();try{(function(){${contents}\n}).call(this)}finally{${OURS}.leave()}`;
}

/** The name of the package that a file was installed with. */
export function packageOf(path) {
  const inside = path.split(`${sep}node_modules${sep}`).at(-1);
  if (inside === path) return undefined;
  const [first, second] = inside.split(sep);
  return first.startsWith("@") ? `${first}/${second}` : first;
}

/** What stands before everything else where there are such dependencies. */
export function frozenImports(names, file) {
  return names.length === 0 ? [] : [`import "data:text/javascript,globalThis.__parlorBuiltAt=${builtAt()}";`, `import ${JSON.stringify(file)};`];
}

/**
 * Puts ours in the place of the globals of time and randomness while the files of these packages are evaluated, and adds those
 * packages that there are to `found`.
 */
export function frozen(names, found) {
  return {
    name: "parlor-frozen",
    setup(build) {
      if (names.length === 0) return;
      build.onLoad({ filter: /[\\/]node_modules[\\/].*\.[cm]?[jt]sx?$/, namespace: "file" }, async ({ path }) => {
        const name = packageOf(path);
        if (!names.includes(name)) return undefined;
        found.add(name);
        return { contents: await wrapped(path, await readFile(path, "utf8")), loader: "default" };
      });
    },
  };
}

/** What the author has to know of the packages that are named. */
export function frozenWarnings(names, found) {
  return names.map((name) => {
    if (!found.has(name)) return { text: `parlor.topLevel names ${JSON.stringify(name)}, which is no part of this plugin` };
    const at = new Date(builtAt()).toISOString();
    const what = `the time (${at}, or SOURCE_DATE_EPOCH) and the random values that it asks for while it is loaded are the same in all rooms`;
    return { text: `${name}, which parlor.topLevel allows: ${what}` };
  });
}

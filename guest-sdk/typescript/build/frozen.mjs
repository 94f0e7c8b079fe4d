/**
 * Dependencies that may ask for time and randomness at their top level, because `parlor.topLevel` names them: what they are
 * given there is made once, when the plugin is built.
 */

import { readFile } from "node:fs/promises";
import { sep } from "node:path";

/** `src/globals-frozen.ts` defines it. */
const OURS = "__parlorFrozen";

/** White space or one comment. */
const SKIPPED = /\s+|\/\*[^]*?\*\/|\/\/.*/y;
const STRICT = /(["'])use strict\1/y;

/** Whether a script begins with what makes it strict. */
function isStrict(text) {
  SKIPPED.lastIndex = 0;
  let at = 0;
  while (SKIPPED.test(text)) at = SKIPPED.lastIndex;
  STRICT.lastIndex = at;
  return STRICT.test(text);
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
  return names.length === 0 ? [] : [`import "data:text/javascript,globalThis.__parlorBuiltAt=${Date.now()}";`, `import ${JSON.stringify(file)};`];
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
        const text = await readFile(path, "utf8");
        const strict = isStrict(text) ? `"use strict";` : "";
        return { contents: `${strict}${OURS}.enter();${text}\n${OURS}.leave();`, loader: /tsx?$/.test(path) ? "ts" : "js" };
      });
    },
  };
}

/** What the author has to know of the packages that are named. */
export function frozenWarnings(names, found) {
  return names.map((name) => {
    if (!found.has(name)) return { text: `parlor.topLevel names ${JSON.stringify(name)}, which is no part of this plugin` };
    const what = "the time and the random values that it asks for while it is loaded are those of this build, the same in all rooms";
    return { text: `${name}, which parlor.topLevel allows: ${what}` };
  });
}

/** From the author's files to one module of JavaScript that the engine runs. */

import { statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { lineTable } from "./lines.mjs";

/** The SDK's own folder. */
export const SDK = dirname(dirname(fileURLToPath(import.meta.url)));

/** What authors import the SDK as. */
const NAMES = /^(verani|@parlor\/guest)(\/.*)?$/;

/** What the engine runs of the language. It never runs its own jobs, so that nothing may use its promises. */
export const LANGUAGE = {
  target: "es2023",
  supported: { "async-await": false, "async-generator": false, "for-await": false, "top-level-await": false },
};

/** Whether a file is the SDK's or a dependency's: neither changes while an author works. */
export function isForeign(file) {
  return file.startsWith(SDK + sep) || file.includes(`${sep}node_modules${sep}`);
}

/** Resolves what authors import the SDK as, wherever they are, and notes each file that is read. */
function sdk(files) {
  return {
    name: "parlor",
    setup(build) {
      build.onResolve({ filter: NAMES }, ({ path }) => {
        if (path === "verani" || path === "@parlor/guest") return { path: join(SDK, "src/index.ts") };
        return { errors: [{ text: `${JSON.stringify(path)} is for tests: a plugin imports "@parlor/guest"` }] };
      });
      build.onLoad({ filter: /.*/, namespace: "file" }, ({ path }) => {
        files.add(path);
        return undefined;
      });
    },
  };
}

/** A component's: the engine imports the host's functions, and exports the interface `guest`. */
const COMPONENT = { format: "esm", external: ["parlor:*"], before: [], exports: ["guest"], plugins: [] };

/**
 * Bundles a plugin. `files` is a set that the paths of all files that are read are added to. Returns the text and the
 * table of its lines, which is to stand behind it; what esbuild does not take is thrown as an error whose `errors` it says.
 */
export async function bundle({ entry, name, root, files, form = COMPONENT }) {
  const { before, exports, plugins, ...options } = form;
  const result = await esbuild.build({
    ...LANGUAGE,
    stdin: {
      contents: [
        ...before,
        `import "${SDK}/src/globals.ts";`,
        `import { guest, seal } from "${SDK}/src/exports.ts";`,
        `import ${JSON.stringify(entry)};`,
        `seal(${JSON.stringify(name)});`,
        `export { ${exports.join(", ")} };`,
      ].join("\n"),
      resolveDir: SDK,
      sourcefile: "parlor-entry.js",
    },
    bundle: true,
    ...options,
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import", "module"],
    plugins: [sdk(files), ...plugins],
    sourcemap: "external",
    sourcesContent: false,
    charset: "utf8",
    legalComments: "none",
    outfile: join(root, "parlor-plugin.js"),
    write: false,
    logLevel: "silent",
  });
  const [map, code] = result.outputFiles;
  const nameOf = (source) => {
    const file = join(root, source);
    return file.startsWith(SDK + sep) || !isFile(file) ? undefined : relative(root, file);
  };
  return { code: code.text, table: lineTable(map.text, nameOf), warnings: result.warnings };
}

function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

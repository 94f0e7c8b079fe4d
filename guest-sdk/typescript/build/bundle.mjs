/** From the author's files to one module of JavaScript that the engine runs. */

import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { withOwnAsync } from "./async.mjs";
import { lineTable, linesOf, placeOf } from "./lines.mjs";

/** The SDK's own folder. */
export const SDK = dirname(dirname(fileURLToPath(import.meta.url)));

/** What authors import the SDK as. */
const NAMES = /^(verani|@parlor\/guest)(\/.*)?$/;

/** What the engine runs of the language. It never runs its own jobs, so that nothing may use its promises. */
export const LANGUAGE = {
  target: "es2023",
  supported: { "async-await": false, "async-generator": false, "for-await": false, "top-level-await": false },
};

/** What of the SDK's folder is the SDK: its own tests have rooms as authors have them. */
const OWN = ["build", "src", "types"].map((folder) => join(SDK, folder) + sep);

function isOwn(file) {
  return OWN.some((folder) => file.startsWith(folder)) || file.startsWith(join(SDK, "node_modules") + sep);
}

/** Whether a file is the SDK's or a dependency's: neither changes while an author works. */
export function isForeign(file) {
  return isOwn(file) || file.includes(`${sep}node_modules${sep}`);
}

/** Settings that all bundles share. */
const COMMON = {
  ...LANGUAGE,
  bundle: true,
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["import", "module"],
  charset: "utf8",
  legalComments: "none",
  write: false,
  logLevel: "silent",
};

/**
 * The SDK as one module, with short names: memory that every plugin's snapshot has, and no name of the author's has to
 * give way to one of ours.
 */
async function sdkModule() {
  const result = await esbuild.build({
    ...COMMON,
    stdin: {
      contents: [`import "./globals.ts";`, `export { guest, seal } from "./exports.ts";`, `export * from "./index.ts";`].join("\n"),
      resolveDir: join(SDK, "src"),
      sourcefile: "parlor-sdk.js",
    },
    format: "esm",
    external: ["parlor:*"],
    minify: true,
    // The engine calls a function for a class's fields at each `new`; assignments in the constructor cost nothing more.
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
  });
  return result.outputFiles[0].text;
}

/** Puts the SDK's one module in the place of its files. */
const oneModule = {
  name: "parlor-sdk",
  setup(build) {
    const made = sdkModule();
    build.onResolve({ filter: NAMES }, ({ path }) => (isSdk(path) ? { path: "sdk", namespace: "parlor-sdk" } : undefined));
    build.onLoad({ filter: /.*/, namespace: "parlor-sdk" }, async () => ({ contents: await made, loader: "js" }));
  },
};

function isSdk(path) {
  return path === "verani" || path === "@parlor/guest";
}

/** Resolves what authors import the SDK as, wherever they are, and notes each file that is read. */
function sdk(files) {
  return {
    name: "parlor",
    setup(build) {
      build.onResolve({ filter: NAMES }, ({ path }) => {
        if (isSdk(path)) return { path: join(SDK, "src/index.ts") };
        return { errors: [{ text: `${JSON.stringify(path)} is for tests: a plugin imports "@parlor/guest"` }] };
      });
      build.onLoad({ filter: /.*/, namespace: "file" }, async ({ path }) => {
        files.add(path);
        if (!/\.[mc]?tsx?$/.test(path) || isForeign(path)) return undefined;
        // A plugin's module may export nothing, which esbuild would take for a script where `package.json` says "commonjs".
        return { contents: `${await readFile(path, "utf8")}\nexport {};`, loader: path.endsWith("x") ? "tsx" : "ts" };
      });
    },
  };
}

/** A component's: the engine imports the host's functions, and exports the interface `guest`. */
const COMPONENT = {
  format: "esm",
  external: ["parlor:*"],
  before: [`import { guest, seal } from "@parlor/guest";`],
  exports: ["guest"],
  plugins: [oneModule],
  minifyWhitespace: true,
  minifySyntax: true,
};

/** What stands before the author's module where the SDK's files are bundled one by one, as tests have them. */
export const SDK_FILES = [`import "${SDK}/src/globals.ts";`, `import { guest, seal } from "${SDK}/src/exports.ts";`];

/**
 * Bundles a plugin. `files` is a set that the paths of all files that are read are added to. Returns the text, the table of
 * its lines, which is to stand behind it, and `placeOf`, which finds the author's place of one in the text; what esbuild
 * does not take is thrown as an error whose `errors` it says.
 */
export async function bundle({ entry, name, root, files, form = COMPONENT }) {
  const { before, exports, plugins, ...options } = form;
  const result = await esbuild.build({
    ...COMMON,
    ...options,
    stdin: {
      contents: [
        ...before,
        `import ${JSON.stringify(entry)};`,
        `seal(${JSON.stringify(name)});`,
        `export { ${exports.join(", ")} };`,
      ].join("\n"),
      resolveDir: SDK,
      sourcefile: "parlor-entry.js",
    },
    plugins: [...plugins, sdk(files)],
    sourcemap: "external",
    sourcesContent: false,
    outfile: join(root, "parlor-plugin.js"),
  });
  const [map, code] = result.outputFiles;
  const nameOf = (source) => {
    const file = join(root, source);
    return isOwn(file) || !isFile(file) ? undefined : relative(root, file);
  };
  const lines = linesOf(map.text, nameOf);
  return { code: withOwnAsync(code.text), table: lineTable(lines), placeOf: (line, column) => placeOf(lines, line, column) };
}

function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** From the author's files to one module of JavaScript that the engine runs. */

import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { lineTable, linesOf, placeOf } from "./lines.mjs";

/** The SDK's own folder. */
export const SDK = dirname(dirname(fileURLToPath(import.meta.url)));

/** What authors import the SDK as. */
const NAMES = /^(verani|@parlor\/guest)(\/.*)?$/;

/** What the engine runs of the language. A module is evaluated at once, so that its top level cannot wait. */
export const LANGUAGE = { target: "es2024", supported: { "top-level-await": false } };

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

/** The SDK's two parts, each of which a component has as one module. */
const PARTS = {
  sdk: [`import "./globals.ts";`, `export { guest, seal } from "./exports.ts";`, `export * from "./index.ts";`],
  url: [`import "./globals-url.ts";`],
};

/**
 * A part of the SDK as one module, with short names: memory that every plugin's snapshot has, and no name of the author's
 * has to give way to one of ours.
 */
async function partOf(part) {
  const result = await esbuild.build({
    ...COMMON,
    stdin: { contents: PARTS[part].join("\n"), resolveDir: join(SDK, "src"), sourcefile: "parlor-sdk.js" },
    format: "esm",
    external: ["parlor:*"],
    minify: true,
    // The engine calls a function for a class's fields at each `new`; assignments in the constructor cost nothing more.
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
  });
  return result.outputFiles[0].text;
}

/** Puts the SDK's modules in the place of its files. */
const oneModule = {
  name: "parlor-sdk",
  setup(build) {
    build.onResolve({ filter: NAMES }, ({ path }) => (isSdk(path) ? { path: "sdk", namespace: "parlor-sdk" } : undefined));
    build.onResolve({ filter: /^parlor-sdk:/ }, ({ path }) => ({ path: path.split(":")[1], namespace: "parlor-sdk" }));
    build.onLoad({ filter: /.*/, namespace: "parlor-sdk" }, async ({ path }) => ({ contents: await partOf(path), loader: "js" }));
  },
};

/** Names that say that a plugin needs the part `url`. */
const URL_NAMES = /\b(URL|URLSearchParams|Request)\b|\bglobalThis\s*\[/;

/** Whether the author's code and what it depends on, less what of it is never used, names anything of the part `url`. */
async function needsUrl(entry) {
  const outside = {
    name: "parlor-outside",
    setup(build) {
      build.onResolve({ filter: NAMES }, ({ path }) => ({ path, external: true }));
    },
  };
  try {
    const result = await esbuild.build({ ...COMMON, entryPoints: [entry], format: "esm", plugins: [outside], minifySyntax: true });
    return URL_NAMES.test(result.outputFiles[0].text);
  } catch {
    // The bundle itself will say what is wrong.
    return false;
  }
}

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
  before: async (entry) => {
    const url = (await needsUrl(entry)) ? [`import "parlor-sdk:url";`] : [];
    return [`import { guest, seal } from "@parlor/guest";`, ...url];
  },
  exports: ["guest"],
  plugins: [oneModule],
  minifyWhitespace: true,
  minifySyntax: true,
};

/**
 * Bundles a plugin. `files` is a set that the paths of all files that are read are added to. Returns the text, the table of
 * its lines for the engine, and `placeOf`, which finds the author's place of one in the text; what esbuild
 * does not take is thrown as an error whose `errors` it says.
 */
export async function bundle({ entry, name, root, files, form = COMPONENT }) {
  const { before, exports, plugins, ...options } = form;
  const result = await esbuild.build({
    ...COMMON,
    ...options,
    stdin: {
      contents: [
        ...(await before(entry)),
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
  const lines = linesOf(map.text, code.text, nameOf);
  return { code: code.text, table: lineTable(lines), placeOf: (line, column) => placeOf(lines, line, column) };
}

function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** From the author's files to one module of JavaScript that the engine runs. */

import { readFileSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { absent, absentWarnings } from "./absent.mjs";
import { frozen, frozenImports, frozenWarnings, packageOf } from "./frozen.mjs";
import { lineTable, linesOf, placeOf } from "./lines.mjs";
import { PARTS, partsFor } from "./parts.mjs";
import { settingsOf } from "./settings.mjs";
import { INTL, OPEN_IMPORTS, intlWarnings, openImports, wasmWarnings } from "./words.mjs";

/** The SDK's own folder. */
export const SDK = dirname(dirname(fileURLToPath(import.meta.url)));

/** What authors import the SDK as. */
const NAMES = /^(verani|@parlor\/guest)(\/.*)?$/;

/** What the engine runs of the language. A module is evaluated at once, so that its top level cannot wait. */
export const LANGUAGE = {
  target: "es2024",
  // A component has one module. What is to be imported of another throws with words, where it is not bundled.
  supported: { "dynamic-import": false, "top-level-await": false },
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
  platform: "browser",
  // As a bundler for workers has it: such code needs no node and no page. The platform alone heeds what packages put for browsers
  // in the place of single files.
  mainFields: ["browser", "module", "main"],
  conditions: ["worker", "browser", "module"],
  charset: "utf8",
  legalComments: "none",
  write: false,
  logLevel: "silent",
  logOverride: OPEN_IMPORTS,
  define: { "process.env.NODE_ENV": '"production"', global: "globalThis", ...INTL },
};

/** The SDK itself; its other parts are in `parts.mjs`. A component has each as one module. */
const SDK_PART = [
  `import "./globals.ts";`,
  `import "./globals-web.ts";`,
  `export { seal } from "./exports.ts";`,
  `export * from "./index.ts";`,
];

function contentsOf(part) {
  if (part === "sdk") return SDK_PART;
  return [`import "./${part === "frozen" ? "globals-frozen.ts" : PARTS[part].file}";`];
}

/**
 * A part of the SDK as one module, with short names: memory that every plugin's snapshot has, and no name of the author's
 * has to give way to one of ours.
 */
async function partOf(part) {
  const result = await esbuild.build({
    ...COMMON,
    stdin: { contents: contentsOf(part).join("\n"), resolveDir: join(SDK, "src"), sourcefile: "parlor-sdk.js" },
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

/** A component's: the engine has the host's functions, and is told those that it calls. */
const COMPONENT = {
  format: "esm",
  external: ["parlor:*"],
  before: (parts) => [`import { seal } from "@parlor/guest";`, ...parts.map((part) => `import "parlor-sdk:${part}";`)],
  frozen: "parlor-sdk:frozen",
  plugins: [oneModule],
  minifyWhitespace: true,
  minifySyntax: true,
  // What a class is called is read by whoever throws or logs one; two files may each have one of the same name.
  keepNames: true,
};

/** How esbuild gives what it has renamed its name again, at a price that each closure pays which a turn makes. */
const KEEP_NAME = /\((\w+),(\w+)\)=>\w+\(\1,"name",\{(?:value:)?\2,configurable:!0\}\)/;
const ENGINES = "__parlorKeepName";

/** The text with the engine's function in the place of esbuild's, in as many letters, so that the places behind it stay. */
function namedByEngine(text) {
  if (!KEEP_NAME.test(text)) throw new Error("esbuild has changed how it keeps names: mend build/bundle.mjs");
  const named = text.replace(KEEP_NAME, (own) => ENGINES.padEnd(own.length));
  return `${named}import{keepName as ${ENGINES}}from"parlor:engine";\n`;
}

/**
 * Bundles a plugin. `files` is a set that the paths of all files that are read are added to. Returns the text, the table of
 * its lines for the engine, `warnings` in esbuild's form, and `placeOf`, which finds the author's place of one in
 * the text; what cannot be bundled is thrown as an error whose `errors` say it in esbuild's form.
 *
 * `source` is where the author's files come from in place of the file system (`confined.mjs`): there are no settings then.
 */
export async function bundle({ entry, name, root, files, source, form = COMPONENT }) {
  const { before, plugins, frozen: frozenFile, ...own } = form;
  const { esbuild: wanted, topLevel } = source === undefined ? settingsOf(root) : NO_SETTINGS;
  const options = { ...COMMON, ...wanted, define: { ...COMMON.define, ...wanted.define } };
  // esbuild looks for settings of its own from the folder that it works in.
  if (source !== undefined) options.absWorkingDir = SDK;
  const asked = [];
  const of = [source === undefined ? absent(isForeign, asked) : source.plugin(NAMES)];
  const parts = await partsFor(entry, options, NAMES, of);
  const allowed = new Set();
  const result = await esbuild.build({
    ...options,
    ...own,
    stdin: {
      contents: [
        ...before(parts),
        ...frozenImports(topLevel, frozenFile),
        `import ${JSON.stringify(entry)};`,
        `seal(${JSON.stringify(name)});`,
      ].join("\n"),
      resolveDir: SDK,
      sourcefile: "parlor-entry.js",
    },
    plugins: [...of, ...plugins, frozen(topLevel, allowed), sdk(files)],
    sourcemap: "external",
    sourcesContent: false,
    outfile: join(root, "parlor-plugin.js"),
  });
  const [map, output] = result.outputFiles;
  const code = form === COMPONENT ? namedByEngine(output.text) : output.text;
  const nameOf = (name) => {
    if (source !== undefined) return source.nameOf(name);
    const file = join(root, name);
    return isOwn(file) || !isFile(file) ? undefined : relative(root, file);
  };
  const lines = linesOf(map.text, code, nameOf);
  const place = (line, column) => placeOf(lines, line, column);
  const warnings = [...openImports(result.warnings, isForeign), ...frozenWarnings(topLevel, allowed), ...absentWarnings(asked, packageOf)];
  // Its places are shown with their text, which is of files.
  if (source === undefined) warnings.push(...intlWarnings(code, place, root), ...wasmWarnings(code, place, root));
  return { code, table: lineTable(lines), warnings, callsLater: callsLater(files), placeOf: place };
}

/**
 * What calls something that the contract got after its first edition. What only looks like it costs nothing but an import.
 */
const LATER = /\b(?:keepHistory|socketsIn)\b|\bpresence\s*\(|\.presence\b|["']presence["']\s*\]/;

/** Whether a plugin of these files needs imports that a host of the first edition does not have. */
function callsLater(files) {
  return [...files].some((file) => /\.[cm]?[jt]sx?$/.test(file) && LATER.test(readFileSync(file, "utf8")));
}

/** What a script by itself has in the place of a package.json's. */
const NO_SETTINGS = { esbuild: {}, topLevel: [] };

function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

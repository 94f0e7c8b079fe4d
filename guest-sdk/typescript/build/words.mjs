/** What went wrong with an author's module, in words that fit a plugin. */

import { formatMessages } from "esbuild";
import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { isNodes, nodesModule } from "./absent.mjs";
import { packageOf } from "./frozen.mjs";

/** esbuild's words, where they advise what a plugin cannot do. */
export function forPlugins(message) {
  const missing = /^Could not resolve "([^"]+)"$/.exec(message.text)?.[1];
  if (missing !== undefined && isNodes(missing)) return { ...message, notes: [{ text: nodesModule(missing) }] };
  if (/^No loader is configured for "\.wasm" files/.test(message.text)) {
    const notes = [{ text: 'There is no WebAssembly within a plugin. For its bytes alone: "parlor": { "esbuild": { "loader": { ".wasm": "binary" } } }' }];
    return { ...message, notes };
  }
  if (message.text.startsWith("Top-level await is not available")) {
    const notes = [{ text: "The top level runs once, when the plugin is built: await in a handler, or in onRestore." }];
    return { ...message, text: "A plugin's module cannot await at its top level", notes };
  }
  return message;
}

/** The parts of `Intl`: the engine has none, and a plugin that asks for one is told so by `src/locale.ts`. */
const INTL_PARTS = [
  "Collator", "DateTimeFormat", "DisplayNames", "DurationFormat", "ListFormat", "Locale", "NumberFormat", "PluralRules",
  "RelativeTimeFormat", "Segmenter",
];
export const INTL = Object.fromEntries(INTL_PARTS.map((name) => [`Intl.${name}`, `__parlorIntl.${name}`]));

/** Warnings about the places of the author's that ask for a part of `Intl`. `placeOf` finds them in the bundle. */
export function intlWarnings(code, placeOf, root) {
  return wordWarnings(code, /\b__parlorIntl\.(\w+)/g, { placeOf, root }, (whose, line, part) => {
    if (whose !== undefined) return undefined;
    return { once: `${part} ${line}`, text: `Intl.${part} is not there in a plugin, whose engine knows no locales: this will throw` };
  });
}

/** What of WebAssembly runs something; its name alone is asked for by who can do without. */
const WASM = /\bWebAssembly\.(?:instantiate|compile|instantiateStreaming|compileStreaming|Module|Instance)\b/g;

/** A warning for each package, and each line of the author's, that runs WebAssembly. */
export function wasmWarnings(code, placeOf, root) {
  const text = "there is no WebAssembly within a plugin, which is itself one: this will throw where it comes to it";
  return wordWarnings(code, WASM, { placeOf, root }, (whose, line) => ({ once: whose ?? line, text }));
}

/**
 * Warnings about words in the bundle that somebody wrote. `told` has the package that a word is of, if it is of one, its file and line,
 * and what the pattern found in it; it answers the text and what is warned of only once, or nothing.
 */
function wordWarnings(code, words, { placeOf, root }, told) {
  const warnings = new Map();
  code.split("\n").forEach((text, at) => {
    for (const { index, 1: part } of text.matchAll(words)) {
      const place = placeOf(at + 1, index + 1);
      if (place === undefined) continue;
      const file = join(root, place.file);
      const warning = told(packageOf(file), `${place.file}:${place.line}`, part);
      if (warning === undefined || warnings.has(warning.once)) continue;
      warnings.set(warning.once, { text: warning.text, location: locationOf(file, place.line) });
    }
  });
  return [...warnings.values()];
}

/** esbuild is to tell of imports whose name only a running plugin knows. */
export const OPEN_IMPORTS = { "unsupported-dynamic-import": "warning", "unsupported-require-call": "warning" };

/**
 * The warnings about such imports, where they are a dependency's: it may never come to them. In the author's own files they are
 * errors, which are thrown. `isForeign` tells files of either kind.
 */
export function openImports(warnings, isForeign) {
  const open = warnings.filter(({ id }) => id in OPEN_IMPORTS);
  const own = open.filter(({ location }) => !isForeign(resolve(location.file)));
  const text = "import() needs a name in quotes here: a plugin is one module, and what it imports is put into it when it is built";
  if (own.length > 0) {
    const notes = [{ text: "To choose while it runs, import each by its name: kind === \"a\" ? await import(\"./a\") : await import(\"./b\")" }];
    throw Object.assign(new Error(text), { errors: own.map(({ location }) => ({ text, location, notes })) });
  }
  return open.map(({ location }) => ({ text: "this dependency imports by a name that only it knows, which will throw", location }));
}

/** What the engine says when a module's top level throws: the message, and places in the bundle. */
const PLACE = /^\s*at (.*?)\s*\(?plugin\.js:(\d+):(\d+)\)?$/;

/** What the engine said of a top level that failed: the words, and the author's places. */
function readTopLevel(said, placeOf) {
  const lines = said.split("\n");
  const places = lines.map((line) => PLACE.exec(line)).flatMap((frame) => {
    const place = frame === null ? undefined : placeOf(Number(frame[2]), Number(frame[3]));
    return place === undefined ? [] : [{ name: frame[1], ...place }];
  });
  const words = lines.filter((line) => line.trim() !== "" && !/^\s+at /.test(line)).join("\n");
  return { text: `${words.replace(/^Error: /, "")} (while the module's top level ran)`, places };
}

/** The same on plain lines, as a stack. */
export function topLevelWords(error, placeOf) {
  const { text, places } = readTopLevel(error.message, placeOf);
  const isNamed = (name) => name !== "" && name !== "<anonymous>";
  const frames = places.map(({ name, file, line }) => (isNamed(name) ? `${name} (${file}:${line})` : `${file}:${line}`));
  return [text, ...frames.map((frame) => `    at ${frame}`)].join("\n");
}

/** An error of the module's top level in esbuild's form, with the author's places. */
export async function topLevelError(error, { placeOf, root, color }) {
  const { text, places } = readTopLevel(error.message, placeOf);
  const [top] = places;
  const notes = places.slice(1).map(({ name, file, line }) => ({
    text: `called from ${name === "" || name === "<anonymous>" ? "the module" : name} (${relative("", join(root, file))}:${line})`,
  }));
  const location = top === undefined ? null : locationOf(join(root, top.file), top.line);
  const wayOut = top === undefined ? [] : waysOut(text, packageOf(join(root, top.file)), places, root);
  const messages = await formatMessages([{ text, location, notes: [...notes, ...wayOut] }], { kind: "error", color });
  return messages.join("").trimEnd();
}

/** What an author can do about a dependency that asks for the time or for randomness at the top level. */
function waysOut(text, dependency, places, root) {
  const missing = /^ReferenceError: (\w+) is not defined/.exec(text)?.[1];
  if (dependency !== undefined && missing !== undefined) return [{ text: withoutGlobal(missing, dependency) }];
  if (dependency === undefined || !/cannot be used at the top level of a module/.test(text)) return [];
  const name = JSON.stringify(dependency);
  const own = places.find(({ file }) => packageOf(join(root, file)) === undefined);
  // A script of node's is loaded by a call, where it is imported.
  if (own !== undefined && !/\bimport\b|\bexport\b.*\bfrom\b|\brequire\b/.test(lineOf(join(root, own.file), own.line))) {
    return [{ text: `It is the package ${name} that asks, which is called here: call it in a handler, or in onRestore` }];
  }
  const later = `await import(${name.replaceAll('"', "'")})`;
  return [
    {
      text: `It is the package ${name} that asks while it is loaded. Either load it where it is needed, with "${later}" in a handler; `
        + `or, where it does no harm that all rooms have the same values, allow it in package.json: `
        + `"parlor": { "topLevel": [${name}] }`,
    },
  ];
}

/** What an author can do about a dependency that asks for a global that is not there. */
function withoutGlobal(name, dependency) {
  if (name === "Buffer") {
    return `The package ${JSON.stringify(dependency)} counts on node's Buffer. npm install buffer, and import a file before it with: `
      + `import { Buffer } from "buffer"; globalThis.Buffer = Buffer;`;
  }
  return `There is no ${name} in a plugin. Where the package ${JSON.stringify(dependency)} only names it, such as to tell whether a value is one, `
    + `put another class in its place, in package.json: "parlor": { "esbuild": { "define": { ${JSON.stringify(name)}: "Object" } } }`;
}

function lineOf(file, line) {
  return readFileSync(file, "utf8").split("\n")[line - 1] ?? "";
}

function locationOf(file, line) {
  const lineText = lineOf(file, line);
  const column = lineText.length - lineText.trimStart().length;
  return { file: relative("", file), line, column, length: 0, lineText };
}

/** What a project's package.json says of its build: `parlor.esbuild` and `parlor.topLevel`. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** esbuild's loaders that make something which a plugin can use: it has no files beside its one module. */
const LOADERS = ["base64", "binary", "dataurl", "empty", "js", "json", "jsx", "text", "ts", "tsx"];
/** What authors import the SDK as, which nothing else may stand for. */
const OWN = ["verani", "@parlor/guest", "@parlor/guest/testing"];

const EXAMPLES = {
  alias: '{ "some-package": "./src/instead.ts" }',
  define: '{ "DEBUG": "false" }',
  loader: '{ ".txt": "text" }',
};

/** A setting that cannot be used, in the form of esbuild's errors. */
class WrongSetting extends Error {
  constructor(text, notes = []) {
    super(text);
    this.errors = [{ text, notes: notes.map((note) => ({ text: note })) }];
  }
}

/** The settings of the project in a folder; of a folder without a package.json those by default. */
export function settingsOf(root) {
  const path = join(root, "package.json");
  const table = tableOf(path);
  const wrong = (key, value, write) => {
    throw new WrongSetting(`parlor.${key} of ${path} is ${JSON.stringify(value)}: ${write}`);
  };
  return { esbuild: esbuildOf(table.esbuild ?? {}, root, wrong), topLevel: topLevelOf(table.topLevel ?? [], wrong) };
}

function tableOf(path) {
  if (!existsSync(path)) return {};
  try {
    return JSON.parse(readFileSync(path, "utf8")).parlor ?? {};
  } catch (error) {
    throw new WrongSetting(`${path} is not JSON: ${error.message}`);
  }
}

function esbuildOf(given, root, wrong) {
  if (!isTable(given)) wrong("esbuild", given, `write a table, such as { "define": ${EXAMPLES.define} }`);
  if (given.external !== undefined) {
    wrong("esbuild.external", given.external, "a plugin is one module in a sandbox, and nothing is there from which it could "
      + `import the rest. Leave it out, and write "alias": ${EXAMPLES.alias} to put a file of yours in a package's place`);
  }
  for (const [key, value] of Object.entries(given)) {
    if (!(key in EXAMPLES)) wrong(`esbuild.${key}`, value, `there is no such setting; there are ${Object.keys(EXAMPLES).join(", ")}`);
    if (!isTable(value)) wrong(`esbuild.${key}`, value, `write a table, such as ${EXAMPLES[key]}`);
  }
  const { alias = {}, define = {}, loader = {} } = given;
  for (const [name, value] of Object.entries(define)) {
    if (typeof value !== "string") wrong(`esbuild.define.${name}`, value, `write JavaScript in a string: ${JSON.stringify(JSON.stringify(value))}`);
  }
  for (const [extension, value] of Object.entries(loader)) {
    const key = `esbuild.loader[${JSON.stringify(extension)}]`;
    if (!/^\.[^/]+$/.test(extension)) wrong(key, value, `its name must be that of files' ends, such as ".txt"`);
    if (!LOADERS.includes(value)) wrong(key, value, `write one of ${LOADERS.map((name) => JSON.stringify(name)).join(", ")}`);
  }
  return { alias: aliasOf(alias, root, wrong), define, loader };
}

function aliasOf(alias, root, wrong) {
  const paths = Object.entries(alias).map(([name, value]) => {
    const key = `esbuild.alias[${JSON.stringify(name)}]`;
    if (OWN.includes(name)) wrong(key, value, "this name is the SDK's own; leave it out");
    if (typeof value !== "string" || value === "") wrong(key, value, `write a package's name or a path, such as "./src/instead.ts"`);
    // esbuild would look from the folder in which it was called.
    return [name, value.startsWith(".") ? join(root, value) : value];
  });
  return Object.fromEntries(paths);
}

function topLevelOf(given, wrong) {
  const write = `write the names of packages, such as ["some-package"]`;
  if (!Array.isArray(given)) wrong("topLevel", given, write);
  given.forEach((name, at) => {
    if (typeof name !== "string" || !/^(@[^/@\s]+\/)?[^/@\s]+$/.test(name)) wrong(`topLevel[${at}]`, name, write);
  });
  return given;
}

function isTable(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

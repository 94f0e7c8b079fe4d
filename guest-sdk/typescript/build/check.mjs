/** The type check, by TypeScript's own compiler. */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join, parse, relative, resolve } from "node:path";
import { SDK } from "./bundle.mjs";

/** The settings of a file: the nearest `tsconfig.json` of its project, which a `package.json` marks; else of its folder. */
export function tsconfigOf(entry) {
  const found = [];
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    const settings = join(folder, "tsconfig.json");
    if (existsSync(settings)) found.push({ folder, settings });
    if (existsSync(join(folder, "package.json"))) return found[0]?.settings;
    if (folder === parse(folder).root) break;
  }
  return found.find(({ folder }) => folder === dirname(entry))?.settings;
}

/**
 * Checks the types of what a plugin is made of. What `tsc -p` takes for its project is taken here: the compiler is given the
 * project's own settings, with all that they include. What it says of tests is left out, which are no part of the plugin. An
 * entry that the project does not include is checked with what it imports.
 *
 * Returns whether the types hold, what the compiler said in its own form (paths seen from the working folder), and the files
 * that it read.
 */
export async function checkPlugin({ entry, root, tsconfig, color }) {
  if (tsconfig === undefined) return check({ entries: [entry], color });
  const project = await tsc(["-p", tsconfig, ...QUIETLY], color);
  const isTest = (file) => /(^|[\\/])(tests?|__tests__)[\\/]|\.(test|spec)\.[^.\\/]+$/.test(relative(root, file)) && file !== entry;
  if (!project.files.includes(entry)) return check({ entries: [entry], tsconfig, color });
  const told = saidOf(project.lines).filter(({ file }) => file === undefined || !isTest(realPath(file)));
  const isWrong = told.some(({ isError }) => isError);
  const files = project.files.filter((file) => !isTest(file));
  return { holds: project.status === 0 || !isWrong, said: isWrong ? told.flatMap(({ lines }) => lines).join("\n").trim() : "", files };
}

/** Checks the types of some files and what they import, as {@link checkPlugin} does those of a project. */
export async function check({ entries, tsconfig, color }) {
  const folder = mkdtempSync(join(tmpdir(), "parlor-check-"));
  try {
    const project = join(folder, "tsconfig.json");
    const settings = { extends: tsconfig ?? join(SDK, "tsconfig.base.json"), files: entries, include: [] };
    const typeRoots = tsconfig === undefined ? {} : { typeRoots: typeRootsOf(dirname(tsconfig)) };
    const options = { noEmit: true, composite: false, incremental: false };
    writeFileSync(project, JSON.stringify({ ...settings, compilerOptions: { ...options, ...typeRoots } }));
    const { status, lines, files } = await tsc(["-p", project], color);
    return { holds: status === 0, said: lines.join("\n").trim(), files };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The compiler is to leave nothing behind, whatever the project's settings say. */
const QUIETLY = ["--noEmit", "--composite", "false", "--incremental", "false"];

/** Where the compiler looks for types that no import names, as it does from a project's own settings. */
function typeRootsOf(from) {
  const roots = [];
  for (let folder = from; ; folder = dirname(folder)) {
    roots.push(join(folder, "node_modules/@types"));
    if (folder === parse(folder).root) return roots;
  }
}

/**
 * What the compiler said, one part for each thing: its lines, whether it is an error, and the file that it is about; none where
 * it is about the settings.
 */
function saidOf(lines) {
  const parts = [];
  for (const line of lines) {
    const plain = line.replace(/\x1b\[[0-9;]*m/g, "");
    const about = /^(?:(.+?)(?:\(\d+,\d+\): |:\d+:\d+ - ))?(error|warning|message) TS\d+: /.exec(plain);
    if (about === null && parts.length > 0 && !/^Found \d+ error/.test(plain)) parts.at(-1).lines.push(line);
    else if (about !== null) parts.push({ lines: [line], isError: about[2] === "error", file: about[1] && resolve(about[1]) });
    else if (plain.trim() !== "") parts.push({ lines: [line], isError: false });
  }
  return parts;
}

function realPath(file) {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

async function tsc(args, color) {
  const require = createRequire(import.meta.url);
  const program = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
  const all = [program, ...args, "--listFiles", "--pretty", String(color)];
  const { status, output } = await new Promise((done, reject) => {
    const child = spawn(process.execPath, all, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", reject).on("close", (status) => done({ status, output }));
  });
  const lines = output.split("\n");
  const files = lines.filter((line) => isAbsolute(line.trim()) && existsSync(line.trim()));
  return { status, lines: lines.filter((line) => !files.includes(line)), files: files.map((file) => file.trim()) };
}

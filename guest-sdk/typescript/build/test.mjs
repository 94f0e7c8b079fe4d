/** `parlor-guest test`: checks the types of a project's tests, bundles them, and runs them under node. */

import * as esbuild from "esbuild";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { SDK } from "./bundle.mjs";
import { check, tsconfigOf } from "./check.mjs";
import { projectOf } from "./project.mjs";
import { bundleRoom } from "./room.mjs";
import { settingsOf } from "./settings.mjs";

const OPTIONS = {
  tsconfig: { type: "string" },
  "no-check": { type: "boolean" },
  only: { type: "string" },
};
const TEST = /\.test\.[cm]?[jt]s$/;
const SOURCE = /\.[cm]?tsx?$/;

/** Something that the author can mend. */
class Untestable extends Error {}

/** Runs a project's tests, or these files. Returns the exit status. */
export async function test(args) {
  let given;
  try {
    given = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    console.error(`parlor-guest: ${error.message}`);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "parlor-test-"));
  try {
    return await steps(given.values, given.positionals, realpathSync(folder));
  } catch (error) {
    if (!(error instanceof Untestable)) throw error;
    console.error(`parlor-guest: ${error.message}`);
    return 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function steps({ tsconfig, "no-check": unchecked = false, only }, files, folder) {
  const root = projectOf(realpathSync(process.cwd()));
  const tests = testsOf(root, files);
  const entry = entryOf(root);
  const [types, bundled] = await Promise.all([
    unchecked ? undefined : checkTests({ root, tests, entry, tsconfig }),
    bundleTests({ root, tests, folder }).catch(bundleErrors),
    existsSync(entry) ? bundleRoom(entry, roomFile(folder, entry)).catch(said) : undefined,
  ]);
  // The compiler's words are the better ones where both have something to say.
  if (types !== undefined && !types.holds) throw new Untestable(`the types do not hold\n${types.said}`);
  if (bundled instanceof Error) throw bundled;
  const setting = { root, entry, folder, bundler: join(SDK, "build/room.mjs") };
  // Whoever runs this may be a test of node's itself: these tests report to us alone.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return run(bundled, only, { ...env, PARLOR_TEST: JSON.stringify(setting) });
}

/** The module of the project's room: `parlor.entry` of its package.json. */
function entryOf(root) {
  const path = join(root, "package.json");
  let settings = {};
  try {
    if (existsSync(path)) settings = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Untestable(`${path} is not JSON: ${error.message}`);
  }
  const entry = settings.parlor?.entry ?? "src/index.ts";
  if (typeof entry !== "string") throw new Untestable(`parlor.entry in ${path} must be a string`);
  return resolve(root, entry);
}

function testsOf(root, files) {
  const tests = files.length > 0 ? files.map((file) => resolve(file)) : filesIn(join(root, "test"), TEST);
  for (const file of tests) {
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new Untestable(`there is no file ${file}`);
  }
  if (tests.length === 0) throw new Untestable(`no tests: there is no test/*.test.ts in ${root}`);
  return tests.map((file) => realpathSync(file)).sort();
}

function filesIn(folder, pattern) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true }).filter((name) => !name.includes("node_modules"));
  return names.filter((name) => pattern.test(name)).map((name) => join(folder, name));
}

/** The tests, what lies beside them (such as modules of rooms that a test names), and the project's own room. */
function checkTests({ root, tests, entry, tsconfig }) {
  const beside = filesIn(join(root, "test"), SOURCE);
  const entries = [...new Set([...tests, ...beside, entry])].filter((file) => SOURCE.test(file) && existsSync(file));
  const settings = tsconfig === undefined ? tsconfigOf(tests[0]) : resolve(tsconfig);
  const color = process.stderr.isTTY === true;
  return check({ entries: [...entries, join(SDK, "types/testing.d.ts")], tsconfig: settings, color });
}

/** Where the bundle of a room is: `src/testing/module.ts` looks for it there. */
function roomFile(folder, entry) {
  return join(folder, `${createHash("sha256").update(entry).digest("hex")}.wasm`);
}

/** A room that cannot be bundled fails the tests that need it, with the same words. */
function said() {}

const NOWHERE = JSON.stringify(join(SDK, "src/testing/nowhere.ts"));

/** Resolves what tests, and the author's modules that they test by themselves, import the SDK as. */
const sdk = {
  name: "parlor-test",
  setup(build) {
    build.onResolve({ filter: /^(verani|@parlor\/guest)$/ }, () => ({ path: join(SDK, "src/testing/outside.ts") }));
    build.onResolve({ filter: /^@parlor\/guest\/testing$/ }, () => ({ path: join(SDK, "src/testing/index.ts") }));
    build.onResolve({ filter: /^parlor:engine$/ }, () => ({ path: "engine", namespace: "parlor-nowhere" }));
    build.onLoad({ filter: /.*/, namespace: "parlor-nowhere" }, () => {
      return { contents: `module.exports = require(${NOWHERE}).engine;`, resolveDir: SDK };
    });
  },
};

/** Bundles the tests; returns the files to run. */
async function bundleTests({ root, tests, folder }) {
  const { esbuild: wanted } = settingsOf(root);
  const { metafile } = await esbuild.build({
    ...wanted,
    entryPoints: tests,
    absWorkingDir: root,
    outbase: root,
    outdir: join(folder, "tests"),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "linked",
    metafile: true,
    plugins: [sdk],
    // A dependency that is a script of node's asks for modules of node's itself.
    banner: { js: 'import { createRequire as parlorRequire } from "node:module"; const require = parlorRequire(import.meta.url);' },
    logLevel: "silent",
  });
  const files = Object.entries(metafile.outputs).filter(([, { entryPoint }]) => entryPoint !== undefined);
  return files.map(([file]) => resolve(root, file));
}

async function bundleErrors(failed) {
  if (!Array.isArray(failed.errors)) throw failed;
  const messages = await esbuild.formatMessages(failed.errors, { kind: "error", color: process.stderr.isTTY === true });
  return new Untestable(`the tests cannot be bundled\n${messages.join("").trimEnd()}`);
}

function run(files, only, env) {
  const pattern = only === undefined ? [] : [`--test-name-pattern=${only}`];
  // A room's engine ends recursion by its own bound, which must come before node's.
  const args = ["--stack-size=3900", "--enable-source-maps", "--test", "--test-reporter=spec", "--test-reporter-destination=stdout", ...pattern];
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [...args, ...files], { stdio: "inherit", env });
    child.on("error", failed).on("close", (status) => done(status ?? 1));
  });
}

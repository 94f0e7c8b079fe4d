/** The build: from the author's TypeScript to a component. */

import { formatMessages } from "esbuild";
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { bundle, isForeign } from "./bundle.mjs";
import { checkPlugin, tsconfigOf } from "./check.mjs";
import { componentOf, engine, evaluated, TopLevelFailed } from "./engine.mjs";
import { producers } from "./producers.mjs";
import { projectOf } from "./project.mjs";
import { forPlugins, topLevelError } from "./words.mjs";
import { workerComplaint } from "./worker.mjs";

/**
 * Builds a plugin: checks its types, bundles it, and makes a component of it. What is wrong goes to standard error.
 * Returns whether there is a component now.
 */
export async function build(options) {
  const { out, inputs, verbose = false } = options;
  const files = new Set();
  const clock = stopwatch(verbose);
  try {
    const entry = entryOf(options.entry);
    const component = await steps({ ...options, entry, root: projectOf(dirname(entry)), files, clock });
    if (component === undefined) return false;
    writeWhole(resolve(out), component);
    clock("all");
    return true;
  } catch (error) {
    if (!(error instanceof Unbuildable)) throw error;
    console.error(`parlor-guest: ${error.message}`);
    return false;
  } finally {
    if (inputs !== undefined) writeWhole(resolve(inputs), JSON.stringify([...files].filter((file) => !isForeign(file)).sort()));
  }
}

/** Something that the author can mend. */
class Unbuildable extends Error {}

function entryOf(path) {
  const entry = resolve(path);
  if (!statSync(entry, { throwIfNoEntry: false })?.isFile()) throw new Unbuildable(`there is no file ${path}`);
  return realpathSync(entry);
}

async function steps({ entry, name, root, tsconfig, check: wanted = true, files, clock }) {
  const settings = tsconfig === undefined ? tsconfigOf(entry) : resolve(tsconfig);
  for (const file of [entry, settings, join(root, "package.json")]) {
    if (file !== undefined && existsSync(file)) files.add(file);
  }
  await refuseRoutes(entry, root);
  const { env, stderr } = process;
  const color = env.NO_COLOR === undefined && (stderr.isTTY === true || env.FORCE_COLOR !== undefined);
  const [types, bundled] = await Promise.all([
    wanted ? checkPlugin({ entry, root, tsconfig: settings, color }).then(clock("types")) : undefined,
    bundle({ entry, name, root, files }).then(clock("bundle")).catch(bundleErrors(color)),
  ]);
  for (const file of types?.files ?? []) files.add(file);
  // The compiler's words are the better ones where both have something to say.
  if (types !== undefined && !types.holds) {
    console.error(types.said);
    return undefined;
  }
  if (bundled === undefined) return undefined;
  await warn([...bundled.warnings, ...metadataWarnings(settings)], color);
  try {
    return clock("component")(await component(bundled));
  } catch (error) {
    if (!(error instanceof TopLevelFailed)) throw error;
    console.error(await topLevelError(error, { ...bundled, root, color }));
    return undefined;
  }
}

/** A Worker's entry may stay as it is where its routes do what the server does. */
async function refuseRoutes(entry, root) {
  const loader = extname(entry).replace(/^\.[mc]?/, "");
  const found = await workerComplaint(readFileSync(entry, "utf8"), loader).catch((error) => {
    // What cannot be parsed is told with the bundle.
    if (!Array.isArray(error.errors)) throw error;
  });
  if (found === undefined) return;
  const words = `${relative(root, entry)}:${found.line}: ${found.words}`;
  if (found.isLost) throw new Unbuildable(words);
  console.error(`parlor-guest: warning: ${words}`);
}

/** A warning about the one setting of the compiler's that changes what a program does and is not followed. */
function metadataWarnings(tsconfig) {
  if (tsconfig === undefined || !/"emitDecoratorMetadata"\s*:\s*true/.test(readFileSync(tsconfig, "utf8"))) return [];
  const text = `emitDecoratorMetadata of ${relative("", tsconfig)} is not followed: decorators are not told the types of what they `
    + "stand at. Name them, as in @inject(Service) or @Type(() => Item)";
  return [{ text }];
}

function bundleErrors(color) {
  return async (failed) => {
    if (!Array.isArray(failed.errors)) throw failed;
    const messages = await formatMessages(failed.errors.map(forPlugins), { kind: "error", color });
    console.error(messages.join("").trimEnd());
    return undefined;
  };
}

async function warn(warnings, color) {
  const messages = await formatMessages(warnings, { kind: "warning", color });
  for (const message of messages) console.error(message.trimEnd());
}

async function component(bundled) {
  const own = engine();
  return Buffer.concat([componentOf(own, await evaluated(own, bundled), bundled.callsLater), producers()]);
}

/** Puts a file in place with one step: whoever watches sees all of it or none. */
function writeWhole(path, content) {
  const part = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(part, content);
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw new Unbuildable(`cannot write ${path}: ${error.message}`);
  }
}

/** Says on standard error what a step took, if asked to. */
function stopwatch(verbose) {
  const start = performance.now();
  return (step) => {
    const begun = performance.now();
    if (step === "all" && verbose) console.error(`all: ${Math.round(begun - start)} ms`);
    return (value) => {
      if (verbose) console.error(`${step}: ${Math.round(performance.now() - begun)} ms`);
      return value;
    };
  };
}

/**
 * What a server runs for a script in a tenant's folder: it makes a component of it with nothing but the files of that folder, and
 * without a type check. It runs in a process of its own whose CPU time and memory the server bounds.
 *
 * It answers on standard output: a line of JSON that says which files were looked at, then the component. What is wrong goes to
 * standard error, each thing on a line with its file and line.
 */

import { stop } from "esbuild";
import { bundle } from "./bundle.mjs";
import { ScriptFolder } from "./confined.mjs";
import { componentOf, engine, evaluated, TopLevelFailed } from "./engine.mjs";
import { producers } from "./producers.mjs";
import { forPlugins, topLevelWords } from "./words.mjs";
import { workerComplaint } from "./worker.mjs";

/** More things that are wrong follow from the first ones. */
const MOST_ERRORS = 20;

/** Builds the file `entry` of the folder `root`. Returns the exit status. */
export async function buildScript({ root, entry, name, flat }) {
  // The server's end is ours.
  process.stdin.on("end", () => process.exit(1)).resume();
  process.stdin.unref?.();
  const folder = new ScriptFolder(root, flat);
  const { component, words } = await made(folder, entry, name);
  await write(Buffer.from(`${JSON.stringify([...folder.files.keys()].sort())}\n`));
  if (words === undefined) await write(component);
  else console.error(words);
  await stop();
  return words === undefined ? 0 : 1;
}

async function made(folder, entry, name) {
  const text = folder.read(entry);
  if (text === undefined) return { words: `${entry}: there is no such file in the folder; a link may lead only to a file in it` };
  let bundled;
  try {
    const complaint = await workerComplaint(text, "ts").catch(() => undefined);
    if (complaint?.isLost) return { words: `${entry}:${complaint.line}: ${complaint.words}` };
    bundled = await bundle({ entry: folder.entry(entry), name, root: folder.root, files: new Set(), source: folder });
    const own = engine();
    return { component: Buffer.concat([componentOf(own, await evaluated(own, bundled)), producers()]) };
  } catch (error) {
    if (error instanceof TopLevelFailed) return { words: placed(topLevelWords(error, bundled.placeOf), entry) };
    if (!Array.isArray(error.errors)) throw error;
    const lines = new Set(error.errors.map((one) => folder.line(forPlugins(one))));
    return { words: [...lines].slice(0, MOST_ERRORS).join("\n") };
  }
}

/** What a top level threw, with its first place in front. */
function placed(words, entry) {
  const place = /^\s+at (?:.*\()?([^()\s]+:\d+)\)?$/m.exec(words)?.[1];
  return `${place ?? entry}: ${words}`;
}

function write(bytes) {
  return new Promise((done) => process.stdout.write(bytes, done));
}

/** What went wrong with an author's module, in words that fit a plugin. */

import { formatMessages } from "esbuild";
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, relative } from "node:path";

/** esbuild's words, where they advise what a plugin cannot do. */
export function forPlugins(message) {
  const missing = /^Could not resolve "([^"]+)"$/.exec(message.text)?.[1];
  if (missing !== undefined && builtinModules.includes(missing.replace(/^node:/, ""))) {
    return { ...message, notes: [{ text: "It is one of node's own modules, and a plugin runs in a sandbox without node." }] };
  }
  if (message.text.startsWith("Top-level await is not available")) {
    const notes = [{ text: "The top level runs once, when the plugin is built: await in a handler, or in onRestore." }];
    return { ...message, text: "A plugin's module cannot await at its top level", notes };
  }
  return message;
}

/** What the engine says when a module's top level throws: the message, and places in the bundle. */
const PLACE = /^\s*at (.*?)\s*\(?componentize-qjs:user\.js:(\d+):(\d+)\)?$/;

/** An error of the module's top level in esbuild's form, with the author's places. */
export async function topLevelError(error, { placeOf, root, color }) {
  const said = String(error?.message ?? error);
  const [first, ...rest] = said.split("\n");
  const frames = rest.map((line) => PLACE.exec(line)).filter((frame) => frame !== null);
  const words = [first, ...rest.filter((line) => line.trim() !== "" && !/^\s+at /.test(line))].join("\n");
  const text = words.replace(/^.*?(?:Failed to [^:]*: )+(?:Error: )?/s, "");
  const places = frames.flatMap(([, name, line, column]) => {
    const place = placeOf(Number(line), Number(column));
    return place === undefined ? [] : [{ name, ...place }];
  });
  const [top] = places;
  const notes = places.slice(1).map(({ name, file, line }) => ({
    text: `called from ${name === "" || name === "<anonymous>" ? "the module" : name} (${relative("", join(root, file))}:${line})`,
  }));
  const location = top === undefined ? null : locationOf(join(root, top.file), top.line);
  const messages = await formatMessages([{ text: `${text} (while the module's top level ran)`, location, notes }], { kind: "error", color });
  return messages.join("").trimEnd();
}

function locationOf(file, line) {
  const lineText = readFileSync(file, "utf8").split("\n")[line - 1] ?? "";
  const column = lineText.length - lineText.trimStart().length;
  return { file: relative("", file), line, column, length: 0, lineText };
}

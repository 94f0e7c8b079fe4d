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
  const messages = await formatMessages([{ text, location, notes }], { kind: "error", color });
  return messages.join("").trimEnd();
}

function locationOf(file, line) {
  const lineText = readFileSync(file, "utf8").split("\n")[line - 1] ?? "";
  const column = lineText.length - lineText.trimStart().length;
  return { file: relative("", file), line, column, length: 0, lineText };
}

/**
 * The entry file of a Worker: `export default { fetch }`. The server itself hands connections to rooms, by the plugin's path and
 * `?room=`, so that such a `fetch` is not run. One that does no more than that is let through; what else it does would be
 * lost without a word, and is an error.
 */

import * as esbuild from "esbuild";

const HELP =
  "Parlor does not run a Worker's `fetch`: the server itself hands connections to rooms, by `websocketPath` and `?room=`";

/** A route that hands the request on: `stub.fetch(request)`, `Room.get("id").fetch(request)`. */
const HANDS_ON = /^(?:await\s+)?[\w$.]+(?:\.get\w*\((?:[^()]|\([^()]*\))*\))?\.fetch\([\w$]+\)$/;
/** A route that refuses: `new Response("Not Found", { status: 404 })`. */
const REFUSES = /^new Response\(.*\bstatus: ?(?:4|5)\d\d\b.*\)$/s;
/** The id that the server itself goes by. */
const BY_ROOM = /\bsearchParams\.get\("room"\)/;
/** The ids of rooms that a route asks for. */
const IDS = /\.(?:get|getByName|idFromName)\(((?:[^()]|\([^()]*\))*)\)/g;

/** What is wrong with the default export of an entry, with its line; none where nothing is. */
export async function workerComplaint(source, loader) {
  if (!/\bfetch\b/.test(source) || !/\bdefault\b/.test(source)) return undefined;
  const words = await complaint(source, loader);
  if (words === undefined) return undefined;
  const at = source.search(/\bfetch\s*[(:]/);
  return { line: source.slice(0, Math.max(at, 0)).split("\n").length, words };
}

async function complaint(source, loader) {
  // So that types and comments are gone, and what is left has one form.
  const { code } = await esbuild.transform(source, { loader, target: "es2023", minifySyntax: false, logLevel: "silent" });
  const body = fetchOf(code);
  if (body === undefined) return undefined;
  for (const answer of answersOf(body)) {
    if (HANDS_ON.test(answer) || REFUSES.test(answer)) continue;
    return `\`return ${short(answer)}\` would never be answered. ${HELP}. What a backend asks of a room, it asks at /_parlor/api/rooms`;
  }
  for (const [, id] of body.matchAll(IDS)) {
    if (/^\s*(?:"[^"]*"|'[^']*'|`[^`$]*`|[\w$]*[iI]d)?\s*$/.test(id) || BY_ROOM.test(id)) continue;
    return `the room \`${short(id)}\` would not be the one that clients reach. ${HELP}`;
  }
  const computed = /\bconst (?:id|[\w$]*Id) = (?!["'`]|[\w$.]*idFromName\(["'`])([^;]*);/.exec(body);
  if (computed !== null && !BY_ROOM.test(computed[1])) {
    return `the room \`${short(computed[1])}\` would not be the one that clients reach. ${HELP}`;
  }
  return undefined;
}

function short(text) {
  const line = text.replace(/\s+/g, " ");
  return line.length > 80 ? `${line.slice(0, 80)}...` : line;
}

/** The body of the function `fetch` of a module's default export. */
function fetchOf(code) {
  const named = /export \{[^}]*?([\w$]+) as default\b[^}]*\}/.exec(code)?.[1];
  const start = named === undefined ? code.search(/export default \{/) : code.search(new RegExp(`\\b(?:var|const|let) ${named} = \\{`));
  if (start < 0) return undefined;
  const object = braced(code, code.indexOf("{", start));
  const at = /\bfetch\s*(?:\(|:\s*(?:async\s*)?(?:function\s*)?\()/.exec(object);
  if (at === null) return undefined;
  const closing = object.indexOf(")", at.index);
  return braced(object, object.indexOf("{", closing));
}

/** The text from a brace to the one that closes it. Strings are passed over. */
function braced(text, from) {
  let depth = 0;
  for (const { 0: token, index } of text.slice(from).matchAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[{}]/gs)) {
    if (token === "{") depth += 1;
    if (token === "}") depth -= 1;
    if (depth === 0) return text.slice(from, from + index + 1);
  }
  return text.slice(from);
}

/** What a function returns, statement by statement. */
function answersOf(body) {
  return Array.from(body.matchAll(/\breturn\b\s*([^]*?);\s*(?:\n|\}|$)/g), ([, answer]) => answer.trim()).filter((answer) => answer !== "");
}

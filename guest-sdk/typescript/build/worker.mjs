/**
 * The entry file of a Worker: `export default { fetch }`. The server itself hands connections to rooms, by the plugin's path and
 * `?room=`, so that such a `fetch` is not run. One that does no more than that is let through; what else it does would be
 * lost without a word, above all a check of who asks, and is an error. What is not known here to be harmless is taken for lost.
 */

import * as esbuild from "esbuild";
import { close, masked, members, statements } from "./statements.mjs";

const HELP =
  "Parlor does not run a Worker's `fetch`: the server itself hands connections to rooms, by `websocketPath` and `?room=`";
const WHO = "Who may connect, `extractMeta` says: `throw new Rejection(401)` (docs/authors/auth.md)";

/** What else Cloudflare calls of a Worker's, and what there is in Parlor for it. */
const INSTEAD = {
  scheduled: 'a room wakes itself: `ctx.actor.alarm.set(time)`, and `onAlarm` of defineRoom, which sets the next one (docs/authors/alarm-and-timers.md)',
  queue: "there are no queues: what is due later, a room keeps in its storage and does in `onAlarm`; a backend reaches rooms at /_parlor/api/rooms",
  email: "no mail comes in here: a backend that has it reaches rooms at /_parlor/api/rooms",
  tail: "the operator's log and metrics have what plugins do (docs/operators/observe.md)",
};

const STRING = `(?:"[^"]*"|'[^']*'|\`[^\`$]*\`)`;
/** A request that is handed on as it came. */
const HANDS_ON = /^(?:await )?(.+)\.fetch\([\w$]+\)$/s;
/** What begins as a room: `ChatRoom.get("a")`, `env.CHAT.getByName("a")`. */
const ROOM = /^(?:await )?(?:env\.)?[\w$]+\.(?:get|getByName)\(/;
/** A route that there is not: `new Response("Not Found", { status: 404 })`. In text whose strings are masked. */
const REFUSES = /^new Response\((?:(["'`])_*\1|null|void 0|undefined), \{[^(){}]*\bstatus: (?:404|405|426)\b[^(){}]*(?:\{[^(){}]*\}[^(){}]*)?\}\)$/;
/** An id that clients reach by the same name: one that is written there, or the one that the server itself goes by. */
const LITERAL = new RegExp(`^${STRING}$`);
const BY_ROOM = new RegExp(`^(?:[\\w$]+\\.|new URL\\([\\w$.]+\\)\\.)?searchParams\\.get\\("room"\\)(?: (?:\\?\\?|\\|\\|) ${STRING})?$`);
const NAMED = /^[\w$.]+\.idFromName\((.*)\)$/s;
/** Where a route asks for a room. */
const ASKS = /(?<!\bheaders|\bsearchParams)\.(?:get|getByName|idFromName)\(/g;
/** Calls that change nothing. */
const PURE = new Set(
  "startsWith endsWith includes indexOf match test split slice at trim replace toLowerCase toUpperCase get getByName has idFromName URL".split(" "),
);

/** What a request has beside its address, its method and its headers, and an address beside its path. */
const HIDDEN = /\.(?:search|href|hash|username|password|cf|body)\b|(?<!\bnew URL\([\w$]+)\.url\b/;

/**
 * What is wrong with the default export of an entry, with its line; none where nothing is. `isLost` says that something would be
 * lost; without it nobody can tell.
 */
export async function workerComplaint(source, loader) {
  if (!/\bdefault\b/.test(source)) return undefined;
  // So that types and comments are gone, and what is left has one form.
  const { code } = await esbuild.transform(source, { loader, target: "es2023", minifySyntax: false, logLevel: "silent" });
  const exported = defaultOf(code);
  if (exported === undefined) return undefined;
  const found = complaint(exported);
  return found && { line: lineOf(source, exported.name, found.isLost && (found.word ?? "fetch")), ...found };
}

function complaint({ text }) {
  if (/^(?:defineRoom|createActorHandler)\b/.test(text)) return undefined;
  if (/^class\b/.test(text)) {
    const never = neverRun(masked(text).split("\n").map((line) => line.trim()));
    if (never !== undefined) return never;
  }
  // A helper, which nobody asks to answer a request.
  if (/^(?:async )?(?:function|class)\b/.test(text) && !/\bfetch\b/.test(text)) return undefined;
  if (/^(?:["'`\d[]|true\b|false\b|null\b)/.test(text)) return undefined;
  if (!text.startsWith("{")) {
    return { isLost: false, words: `this default export, \`${short(text)}\`, is not run, whatever it does. ${HELP}. ${WHO}` };
  }
  const all = members(text);
  const never = neverRun(all);
  if (never !== undefined) return never;
  const fetches = all.find((member) => /^(?:async )?(?:["']fetch["']|fetch)\b/.test(member) || /^\[|^\.\.\./.test(member));
  if (fetches === undefined) return undefined;
  const body = bodyOf(fetches);
  const words = body === undefined ? `\`${short(fetches)}\` cannot be read here, and is not run. ${HELP}. ${WHO}` : lostOf(body);
  return words && { isLost: true, words };
}

/** What is wrong with members that Cloudflare would call and nobody calls here. */
function neverRun(all) {
  for (const [word, instead] of Object.entries(INSTEAD)) {
    const isIt = new RegExp(`^(?:async )?\\*?\\s*["']?${word}\\b["']?`);
    if (all.some((member) => isIt.test(member))) return { isLost: true, word, words: `a Worker's \`${word}\` is not run: ${instead}` };
  }
  return undefined;
}

/** The value of a module's default export, as far as the module itself has it, and its name. */
function defaultOf(code) {
  const mask = masked(code);
  const listed = /(?:^|\n)export \{([^}]*\bdefault\b[^}]*)\}( from )?/.exec(mask);
  const name = listed?.[1].match(/([\w$]+) as default\b/)?.[1];
  if (listed !== null) return listed[2] === undefined ? valueOf(code, mask, name) : { text: listed[0].trim() };
  const at = /(?:^|\n)export default /.exec(mask);
  if (at === null) return undefined;
  const text = upToEnd(code, mask, at.index + at[0].length);
  return /^[\w$]+$/.test(text) ? valueOf(code, mask, text) : { text };
}

function valueOf(code, mask, name) {
  const at = new RegExp(`(?:^|\\n)(?:export )?(?:const|let|var) ${escaped(name)} = `).exec(mask);
  if (at !== null) return { name, text: upToEnd(code, mask, at.index + at[0].length) };
  const own = new RegExp(`(?:^|\\n)(?:export )?((?:async )?(?:function\\*?|class) ${escaped(name)}\\b)`).exec(mask);
  return { name, text: own === null ? name : code.slice(mask.indexOf(own[1], own.index)) };
}

/** A value's text: up to the semicolon that ends its statement. */
function upToEnd(code, mask, from) {
  let depth = 0;
  for (let at = from; at < mask.length; at += 1) {
    if ("([{".includes(mask[at])) depth += 1;
    if (")]}".includes(mask[at])) depth -= 1;
    if (depth === 0 && mask[at] === ";") return code.slice(from, at).trim();
  }
  return code.slice(from).trim();
}

/** The statements of a member of an object that is a function; none where it is none, or is not written there. */
function bodyOf(member) {
  const head = /^(?:async )?["']?fetch["']?(?:: (?:async )?(?:function\b[^(]*)?)?\s*\(/.exec(member);
  if (head === null) return undefined;
  const mask = masked(member);
  const rest = close(mask, head[0].length - 1) + 1;
  const arrow = /^\s*(?:=>)?\s*/.exec(mask.slice(rest))[0];
  const from = rest + arrow.length;
  if (mask[from] === "{") return statements(member.slice(from + 1, close(mask, from)));
  return arrow.includes("=>") ? [{ kind: "plain", text: `return ${member.slice(from)}` }] : undefined;
}

/** What of these statements would be lost, in words. */
function lostOf(body) {
  const values = new Map();
  for (const { text } of body) {
    const [, name, value] = /^(?:const|let|var) ([\w$]+) = (.*)$/s.exec(text) ?? [];
    // What has two values has none that is known.
    if (name !== undefined) values.set(name, values.has(name) ? "" : value);
  }
  for (const { text } of body) {
    const id = idsOf(text).find((asked) => !isId(asked, values));
    if (id !== undefined) return `the room \`${short(values.get(id) ?? id)}\` would not be the one that clients reach. ${HELP}`;
  }
  for (const { kind, text } of body) {
    const words = kind === "condition" ? decides(text) : loses(text, values);
    if (words !== undefined) return words;
  }
  return undefined;
}

/** The ids of rooms that a text asks for. */
function idsOf(text) {
  const mask = masked(text);
  return Array.from(mask.matchAll(ASKS), ({ 0: call, index }) => {
    const from = index + call.length;
    return text.slice(from, close(mask, from - 1)).trim();
  });
}

function isId(id, values, depth = 0) {
  if (id === "" || depth > 9) return false;
  if (LITERAL.test(id) || BY_ROOM.test(id)) return true;
  const named = NAMED.exec(id)?.[1] ?? values.get(id);
  return named !== undefined && isId(named, values, depth + 1);
}

function isRoom(text) {
  const head = ROOM.exec(text)?.[0];
  return head !== undefined && close(masked(text), head.length - 1) === text.length - 1;
}

/** What a statement does that would be lost. */
function loses(text, values) {
  const answer = /^return\b(.*)$/s.exec(text)?.[1].trim();
  if (answer === undefined) {
    const value = /^(?:const|let|var) (?:[\w$]+|\{[\w$, ]*\}) = (.*)$/s.exec(text)?.[1];
    if (value !== undefined) return decides(value);
    return `\`${short(text)}\` would never happen. ${HELP}${/^throw\b/.test(text) ? `. ${WHO}` : ""}`;
  }
  const room = HANDS_ON.exec(answer)?.[1];
  if (room !== undefined && isRoom(values.get(room) ?? room)) return undefined;
  if (REFUSES.test(masked(answer).replace(/\s+/g, " "))) return undefined;
  const never = `\`return ${short(answer)}\` would never be answered`;
  if (/\bstatus: ?[45]\d\d\b/.test(answer)) return `${never}: what is checked before it is not checked in Parlor. ${WHO}. ${HELP}`;
  return `${never}. ${HELP}. What a backend asks of a room, it asks at /_parlor/api/rooms`;
}

/** What is wrong with a value or a condition: it may ask for the address, the method and for the upgrade, and change nothing. */
function decides(text) {
  const mask = masked(text);
  const isPure = !/\bawait\b|\byield\b|\bdelete\b|=>|\+\+|--|\?\.\(|[\])]\s*\(|(?:^|[^=!<>])=(?!=)/.test(mask)
    && Array.from(mask.matchAll(/([\w$]+)\s*\(/g), ([, name]) => name).every((name) => PURE.has(name));
  const asks = Array.from(text.matchAll(/\b(headers|searchParams)\.(?:get|has)\(([^)]*)\)/g));
  const isOpen = asks.every(([, of, name]) => (of === "headers" ? /^["'](?:upgrade|connection)["']$/i : /^["']room["']$/).test(name));
  const isWhole = asks.length === (mask.match(/\b(?:headers|searchParams)\b/g) ?? []).length && !HIDDEN.test(mask);
  if (isPure && isOpen && isWhole && !/\benv\.(?![\w$]+\.(?:get|getByName|idFromName)\()/.test(mask)) return undefined;
  return `\`${short(text)}\` would never be asked. ${WHO}. ${HELP}`;
}

/** The line of a default export; where a member of it is meant, such as `fetch`, that one's. */
function lineOf(source, name, word) {
  const shown = /\bexport\s+default\b|\bas\s+default\b|\bdefault\b/.exec(source).index;
  const declared = name === undefined ? -1 : source.search(new RegExp(`\\b(?:const|let|var)\\s+${escaped(name)}\\b`));
  const from = word && declared >= 0 ? declared : shown;
  const rest = source.slice(from);
  // As a member of what is exported, before it is looked for in texts.
  const member = word ? rest.search(new RegExp(`\\b${word}["']?\\s*[(:]`)) : -1;
  const at = member < 0 && word ? rest.search(new RegExp(`\\b${word}\\b`)) : member;
  return source.slice(0, from + Math.max(at, 0)).split("\n").length;
}

function escaped(name) {
  return name.replaceAll("$", "\\$");
}

function short(text) {
  const line = text.replace(/\s+/g, " ");
  return line.length > 80 ? `${line.slice(0, 80)}...` : line;
}

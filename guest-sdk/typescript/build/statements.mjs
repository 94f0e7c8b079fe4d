/** JavaScript as esbuild prints it, taken apart as far as `worker.mjs` asks: its statements, and the members of an object. */

/** What holds brackets that are none: strings, templates, and regular expressions where none divides. */
const QUOTED =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\$]|\\.|\$(?!\{))*`|(?<=(?:[(,=:!&|?;{]|\breturn) ?)\/(?![*/ ])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//gs;

/** The same text with the inside of what is quoted blotted out. */
export function masked(text) {
  return text.replace(QUOTED, (quoted) => quoted[0] + "_".repeat(quoted.length - 2) + quoted.at(-1));
}

/** Where the bracket that opens at a place of a masked text is closed; else the text's end. */
export function close(mask, from) {
  let depth = 0;
  for (let at = from; at < mask.length; at += 1) {
    if ("([{".includes(mask[at])) depth += 1;
    if (")]}".includes(mask[at])) depth -= 1;
    if (depth === 0) return at;
  }
  return mask.length;
}

/** Where the first of these characters is that stands in no bracket; else the text's end. */
function next(mask, from, ends) {
  let at = from;
  while (at < mask.length && !ends.includes(mask[at])) at = "([{".includes(mask[at]) ? close(mask, at) + 1 : at + 1;
  return at;
}

/** The members of an object that a text begins with. */
export function members(text) {
  const mask = masked(text);
  const end = close(mask, 0);
  const found = [];
  for (let at = 1; at < end; ) {
    const stop = Math.min(next(mask, at, ","), end);
    found.push(text.slice(at, stop).trim());
    at = stop + 1;
  }
  return found.filter((member) => member !== "");
}

/**
 * The statements of a function's body in their order, without those that hold others: of `if` and `switch` there are the
 * conditions. What else holds others is one statement as a whole.
 */
export function statements(text) {
  const mask = masked(text);
  const found = [];
  for (let at = 0; at < mask.length; ) {
    const rest = mask.slice(at);
    const skipped = /^(?:\s+|[{};]|else\b|default:|break;)/.exec(rest)?.[0];
    const head = /^(?:if|switch) \(/.exec(rest)?.[0];
    const isCase = /^case\b/.test(rest);
    let end = at + (skipped?.length ?? 0);
    if (head !== undefined) {
      end = close(mask, at + head.length - 1) + 1;
      found.push({ kind: "condition", text: text.slice(at + head.length, end - 1) });
    } else if (skipped === undefined) {
      end = next(mask, at, isCase ? ":" : ";") + 1;
      found.push({ kind: isCase ? "condition" : "plain", text: text.slice(at, end - 1).replace(/^case\b/, "").trim() });
    }
    at = end;
  }
  return found;
}

// Making elements. What comes from plugins and clients goes through here as text, never as markup, and with nothing in it that hides.

/** What is not seen, or has what stands beside it seen in another order: two names would look the same that are not. The joiner of emoji
 * is none of these, nor are line breaks. */
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** A text with its unseen characters spelled: `\u{202e}`. */
function seen(text) {
  return String(text).replace(UNSEEN, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

/** `make("p", { class: "x", onclick: f }, "text", child)`: strings become text nodes, in which all is seen; null children are left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  const present = children.filter((child) => child !== null && child !== undefined);
  element.append(...present.map((child) => (child instanceof Node ? child : seen(child))));
  return element;
}

/** Sets the text only where it differs, so that a selection or a screen reader is not disturbed. */
export function setText(element, text) {
  const words = seen(text);
  if (element.textContent !== words) element.textContent = words;
}

/** Makes `parent` hold exactly `children`, moving as little as it can, so that focus and open details stay. */
export function arrange(parent, children) {
  for (const old of [...parent.children]) if (!children.includes(old)) old.remove();
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}

let ids = 0;

/** A label with its control, its hint and the place for what is wrong with it. */
export function field(caption, control, { hint, wide } = {}) {
  const id = `field-${(ids += 1)}`;
  control.id = id;
  const problem = make("p", { class: "problem", id: `${id}-problem`, role: "alert", hidden: true });
  const described = hint ? `${id}-hint ${id}-problem` : `${id}-problem`;
  control.setAttribute("aria-describedby", described);
  const box = make(
    "div",
    { class: wide ? "field field-wide" : "field" },
    make("label", { for: id }, caption),
    control,
    hint ? make("p", { class: "hint", id: `${id}-hint` }, hint) : null,
    problem,
  );
  return { box, control, problem };
}

/** Says beside a field what is wrong with it; an empty text takes it back. */
export function complain({ control, problem }, text) {
  problem.hidden = text === "";
  setText(problem, text);
  if (text === "") control.removeAttribute("aria-invalid");
  else control.setAttribute("aria-invalid", "true");
}

/** `1234` -> `1,234`. */
export function count(number) {
  return Number(number ?? 0).toLocaleString("en-GB");
}

/** `1 socket`, `2 sockets`. */
export function plural(number, word) {
  return `${count(number)} ${word}${Number(number) === 1 ? "" : "s"}`;
}

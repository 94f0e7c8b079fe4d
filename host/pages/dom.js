// Making elements. What comes from plugins and clients goes through here as text, never as markup.

/** `make("p", { class: "x", onclick: f }, "text", child)`: strings become text nodes; null children are left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets the text only where it differs, so that a selection or a screen reader is not disturbed. */
export function setText(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
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

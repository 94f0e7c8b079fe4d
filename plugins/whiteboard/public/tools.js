// Colours, widths and the two buttons.

const COLORS = {
  Black: "#1b1b27", Red: "#d6336c", Orange: "#e8590c", Yellow: "#f2b705", Green: "#2f9e44", Blue: "#1c7ed6", Violet: "#7048e8",
  White: "#ffffff",
};
const WIDTHS = { Fine: 8, Medium: 18, Broad: 40 };
const SURE_MS = 3_000; // how long the second click of "Clear" is waited for

/** Radio buttons of which each shows what it stands for; `choose` gets the value of the one that is chosen. */
function offer(place, name, choices, look, choose) {
  for (const [words, value] of Object.entries(choices)) {
    const [label, input, dot] = ["label", "input", "span"].map((tag) => document.createElement(tag));
    input.type = "radio";
    input.name = name;
    input.checked = place.children.length === 0;
    input.setAttribute("aria-label", words);
    input.addEventListener("change", () => choose(value));
    dot.className = "dot";
    look(dot.style, value);
    label.title = words;
    label.append(input, dot);
    place.append(label);
  }
}

/** Lets the user choose what a pen draws with. */
export function offerPens(colors, widths, pen) {
  offer(colors, "color", COLORS, (style, color) => style.setProperty("--pen", color), (color) => (pen.color = color));
  offer(widths, "width", WIDTHS, (style, width) => style.setProperty("--dot", `${4 + width / 2}px`), (width) => (pen.width = width));
  [pen.color, pen.width] = [COLORS.Black, WIDTHS.Fine];
}

/** What cannot be taken back wants a second click; a page in a sandbox has no dialogs to ask with. */
export function clickTwice(button, act) {
  const words = button.textContent;
  let waiting;
  const calm = () => {
    clearTimeout(waiting);
    waiting = undefined;
    button.textContent = words;
  };
  button.addEventListener("click", () => {
    if (waiting !== undefined) {
      calm();
      return act();
    }
    button.textContent = `${words} for all?`;
    waiting = setTimeout(calm, SURE_MS);
  });
}

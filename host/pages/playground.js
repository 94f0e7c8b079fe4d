// The playground: several connections side by side, each a panel of its own.
import { Panel } from "./panel.js";

const PANELS_AT_START = 2;
const PANELS_MOST = 6;
const NAMES = ["ana", "ben", "cleo", "dan", "eva", "finn"];

export class Playground {
  #place;
  #add;
  #panels = [];
  #plugins = [];

  constructor(place, add) {
    this.#place = place;
    this.#add = add;
    add.addEventListener("click", () => this.#addPanel().focus());
    for (let n = 0; n < PANELS_AT_START; n += 1) this.#addPanel();
  }

  /** What there is to connect to, now. */
  offer(plugins) {
    this.#plugins = plugins;
    for (const panel of this.#panels) panel.offer(plugins);
  }

  /** Somebody wants to try this plugin: the first panel that is not connected takes it, or a new one. */
  choose(plugin, room) {
    const idle = this.#panels.find((panel) => panel.idle);
    const panel = idle ?? (this.#panels.length < PANELS_MOST ? this.#addPanel() : this.#panels.at(-1));
    if (panel.idle) panel.choose(plugin, room);
    panel.focus();
  }

  #addPanel() {
    const taken = new Set(this.#panels.map(({ number }) => number));
    let number = 1;
    while (taken.has(number)) number += 1;
    const panel = new Panel(number, NAMES[number - 1], () => this.#removePanel(panel));
    panel.offer(this.#plugins);
    this.#panels.push(panel);
    this.#place.append(panel.box);
    this.#changed();
    return panel;
  }

  #removePanel(panel) {
    this.#panels.splice(this.#panels.indexOf(panel), 1);
    panel.box.remove();
    this.#changed();
    this.#add.focus();
  }

  #changed() {
    this.#add.disabled = this.#panels.length >= PANELS_MOST;
    for (const panel of this.#panels) panel.allowRemoval(this.#panels.length > 1);
  }
}

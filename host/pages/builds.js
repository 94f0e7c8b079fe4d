// What `parlor dev` could not build, in the compiler's words. Nothing is shown in `parlor serve`, nor where all is well.
import { arrange, make, setText } from "./dom.js";

/** The list above the plugins. Entries are kept between refreshes, so that a selection in the words stays. */
export class Builds {
  #place;
  #entries = new Map();

  constructor(page) {
    this.#place = page.getElementById("builds");
  }

  show(builds = []) {
    const failed = builds.filter(({ state }) => state === "failed");
    const names = new Set(failed.map(({ project }) => project));
    for (const name of this.#entries.keys()) if (!names.has(name)) this.#entries.delete(name);
    arrange(this.#place, failed.map((build) => this.#entry(build)));
  }

  #entry({ project, words }) {
    if (!this.#entries.has(project)) {
      const text = make("pre", { tabindex: "0", "aria-label": `Why ${project} is not served` });
      const title = make("h3", {}, make("b", {}, project), " is not served as it is now");
      this.#entries.set(project, { box: make("article", { class: "build", "data-project": project }, title, text), text });
    }
    const entry = this.#entries.get(project);
    setText(entry.text, words);
    return entry.box;
  }
}

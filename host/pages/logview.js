// The log of all that the viewer may see.
import { make } from "./dom.js";
import { LogLines } from "./loglines.js";
import { section } from "./parts.js";

export class LogView {
  title = "Log";
  live = { topics: "log,failures,deploys" };
  #lines = new LogLines("Log of the host", true);

  constructor() {
    this.box = make("div", {}, section("Log", this.#lines.box));
  }

  async open() {}

  log(line) {
    this.#lines.log(line);
  }

  failures(line) {
    this.#lines.failure(line);
  }

  deploys(line) {
    this.#lines.deploy(line);
  }

  lost(line) {
    this.#lines.lost(line);
  }
}

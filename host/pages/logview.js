// The log of all that the viewer may see.
import { make } from "./dom.js";
import { LogLines, LoggedView } from "./loglines.js";

export class LogView extends LoggedView {
  title = "Log";
  live = { topics: "log,failures,deploys" };

  constructor() {
    super(new LogLines("Log of the host", true));
    this.box = make("div", {}, this.lines.box);
  }

  async open() {}
}

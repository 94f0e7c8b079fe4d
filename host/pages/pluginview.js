// One plugin: plots, what each handler costs, its versions, its failures, its rooms, its log.
import { ask, path, wordsOf } from "./api.js";
import { count, make, setText } from "./dom.js";
import { LogLines, LoggedView } from "./loglines.js";
import { Table, bytes, link, moment, seconds, section } from "./parts.js";
import { Plots } from "./plot.js";
import { TapeList } from "./tapeview.js";

const ROOMS_PAGE = 100;

export class PluginView extends LoggedView {
  #key;
  #name;
  #plots = new Plots("turns", "cpu", "latency");
  #state = make("p", { class: "notice", role: "status", hidden: true });
  #said = make("p", { class: "hint", role: "status" });
  #costs = new Table("Costs of each handler",
    ["Handler", "CPU", "Turns", "Mean", "99 % under", "Failures", "Emits", "Bytes", "Deliveries", "Reads", "Writes", "Waited"],
    "No handler ran yet.");
  #versions = new Table("Versions", ["Version", "Deployed", "Rooms", ""], "No version is kept.");
  #history = new Table("What became of versions", ["When", "What", "Version", "Why"], "Nothing since the server started.");
  #failures = new Table("Failures", ["When", "Event", "Code", "Room", "Tape", "Message"], "Nothing failed.");
  #tapes;
  #rooms = new Table("Rooms", ["Room", "Sockets", "Users", "Version", "State"], "A room opens with its first socket.");
  #more = make("button", { type: "button", class: "quiet", hidden: true }, "More rooms");
  #shownRooms = ROOMS_PAGE;
  #seen = "";
  #busy = false;

  constructor(tenant, plugin) {
    super(new LogLines("Log of the plugin"));
    this.#key = path(tenant, plugin);
    this.#name = { tenant, plugin };
    this.title = plugin;
    this.#tapes = new TapeList(tenant, plugin);
    this.live = { topics: "figures,log,failures,deploys", tenant, plugin };
    this.#more.addEventListener("click", () => {
      this.#shownRooms += ROOMS_PAGE;
      this.#askRooms();
    });
    this.box = make(
      "div",
      {},
      this.#state,
      section("Now", this.#plots.box),
      section("Costs of each handler", this.#costs.box),
      section("Versions", this.#said, this.#versions.box),
      section("Rooms", this.#rooms.box, this.#more),
      section("Log", this.lines.box),
      section("Failures", this.#failures.box),
      section("Tapes", this.#tapes.box),
      section("What became of versions", this.#history.box),
    );
  }

  async open() {
    const { lines } = await ask(`plugins/${this.#key}/log`).catch(() => ({ lines: [] }));
    this.lines.clear();
    for (const line of lines) this.lines.log({ ...line, from: "plugin" });
    await this.#ask();
  }

  past(past) {
    this.#plots.begin(past);
  }

  figures({ now, plugins }) {
    this.#plots.add(now);
    const { now: _, ...lists } = plugins[0] ?? {};
    const seen = JSON.stringify([lists, now.turns > 0 ? Date.now() : 0]);
    if (seen !== this.#seen) this.#ask();
    this.#seen = seen;
  }

  failures(line) {
    super.failures(line);
    this.#seen = "";
  }

  deploys(line) {
    super.deploys(line);
    this.#ask();
  }

  async #ask() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const costs = ask(`plugins/${this.#key}/costs`).catch(() => ({ handlers: [] }));
      const [one, { handlers }] = await Promise.all([ask(`plugins/${this.#key}`), costs, this.#tapes.ask()]);
      this.#show(one, handlers);
      await this.#askRooms();
    } finally {
      this.#busy = false;
    }
  }

  #show(one, handlers) {
    const { quarantine, state, last_refused: refused } = one;
    const words = quarantine ? `Out of service since ${moment(quarantine.since)}: ${quarantine.why}`
      : state !== "serving" ? `Not served: ${state}${refused ? `: ${refused.why}` : ""}`
        : refused ? `The last version that was refused: ${refused.version ?? "a file"}, ${moment(refused.time)}: ${refused.why}` : "";
    this.#state.hidden = words === "";
    setText(this.#state, words);
    this.#costs.show(handlers.map((handler) => ({ key: handler.event, cells: costCells(handler) })));
    this.#versions.show(one.versions.map((version) => ({
      // A new row where it becomes the current one, or is it no more.
      key: `${version.version} ${version.current}`,
      cells: [version.version, moment(version.deployed_at), count(version.rooms),
        () => (version.current ? make("b", {}, "serves") : this.#serveButton(version.version))],
    })));
    this.#history.show(one.history.map(({ time, what, version, why }, at) => ({
      key: `${one.history.length - at} ${time}`, hot: what === "refused", cells: [moment(time), what, version ?? "–", why],
    })));
    const failures = one.last_failures ?? [];
    this.#failures.show(failures.map((failure, at) => {
      const { time, room, event, code, message } = failure;
      const tape = this.#tapes.of(failure);
      return {
        // A new row where its tape is there.
        key: `${time} ${failures.length - at} ${event} ${Boolean(tape)}`,
        cells: [moment(time), event, code, room ?? "–", () => tape ?? make("span", {}, "–"), message],
      };
    }));
  }

  async #askRooms() {
    let rooms = [];
    let more = true;
    while (more && rooms.length < this.#shownRooms) {
      const after = rooms.length > 0 ? `&after=${encodeURIComponent(rooms.at(-1).room)}` : "";
      const page = await ask(`rooms/${this.#key}?limit=${ROOMS_PAGE}${after}`).catch(() => ({ rooms: [], more: false }));
      rooms = [...rooms, ...page.rooms];
      more = page.more;
    }
    const { tenant, plugin } = this.#name;
    this.#rooms.show(rooms.map(({ room, sockets, users, version, awake, heavy }) => ({
      key: room,
      hot: heavy,
      cells: [() => link(room, "t", tenant, "p", plugin, "r", room), count(sockets), count(users), version,
        heavy ? "heavy" : awake ? "awake" : "sleeps"],
    })));
    this.#more.hidden = !more;
  }

  #serveButton(version) {
    return make("button", {
      type: "button", class: "quiet small", "aria-label": `Serve version ${version}`, onclick: () => this.#serve(version),
    }, "Serve this one");
  }

  async #serve(version) {
    setText(this.#said, `Version ${version} is being loaded…`);
    try {
      const { unchanged } = await ask(`plugins/${this.#key}/rollback`, { method: "POST", body: { version } });
      setText(this.#said, unchanged ? `Version ${version} served already.` : `Version ${version} serves; rooms move to it.`);
    } catch (error) {
      setText(this.#said, `Version ${version} does not serve: ${wordsOf(error)}`);
    }
    this.#seen = "";
    await this.#ask();
  }
}

function costCells(handler) {
  const { event, turns, failures, cpu_seconds: cpu, cpu_p99: p99, emits, emit_bytes: size, deliveries, reads, writes, wait_seconds: wait } = handler;
  return [event, seconds(cpu), count(turns), seconds(turns > 0 ? cpu / turns : null), seconds(p99), count(failures), count(emits),
    bytes(size), count(deliveries), count(reads), count(writes), seconds(wait)];
}

// One tape: a room's turns, and each with its event, its calls, what it did, and the room before and after it.
import { ask, path, wordsOf } from "./api.js";
import { count, make, plural, setText } from "./dom.js";
import { Table, bytes, hash, link, moment, seconds, section, sureButton } from "./parts.js";
import { apply, beginning, copy, failed, outcomeWords, valueWords } from "./tapestate.js";

export class TapeView {
  live = { topics: "deploys" };
  #key;
  #place;
  #facts = make("p", { class: "lead", role: "status" }, "The tape is being read…");
  #command = make("pre", { class: "command", tabindex: "0" });
  #said = make("p", { class: "hint", role: "status" });
  #onlyFailed = make("input", { type: "checkbox", id: "only-failed" });
  #turns = new Table("Turns", ["Turn", "Event", "Of", "Outcome", "CPU", "Calls", "Emits", "Writes"], "No such turn.");
  #one = make("div", { class: "tape-turn" });
  #tape = null;
  #shown;

  /** `turn` is the number of the turn that is shown first; else it is the last one, for which the tape was kept. */
  constructor(tenant, plugin, tape, turn) {
    this.#place = ["t", tenant, "p", plugin];
    this.#key = `plugins/${path(tenant, plugin)}/tapes/${path(tape)}`;
    this.title = tape;
    this.live = { ...this.live, tenant, plugin };
    this.#shown = turn === undefined ? null : Number(turn);
    this.#onlyFailed.addEventListener("change", () => this.#showTurns());
    const download = make("a", { class: "button quiet", href: `api/${this.#key}`, download: tape }, "Download");
    const remove = sureButton("Delete this tape", "Delete", () => this.#delete());
    this.box = make(
      "div",
      {},
      this.#facts,
      section("Replay", make("p", { class: "hint" }, "It lives these turns again, on any machine that has this file and the component, which lies in the server's data folder:"), this.#command,
        make("div", { class: "actions" }, download, remove, this.#said)),
      section("Turns", make("p", { class: "check" }, this.#onlyFailed, make("label", { for: "only-failed" }, "Failed turns only")), this.#turns.box),
      this.#one,
    );
  }

  async open() {
    // A tape does not change.
    if (this.#tape) return;
    let [page, turns] = [await ask(`${this.#key}?as=json`), []];
    const { base } = page;
    turns.push(...page.turns);
    while (page.more) {
      page = await ask(`${this.#key}?as=json&after=${turns.at(-1).turn}`);
      turns.push(...page.turns);
    }
    this.#tape = { base, turns };
    const since = plural(turns.length - 1, "turn");
    setText(this.#facts, `Room ${base.room}, version ${base.version}: ${since} since its instance was made (${base.reason}) at `
      + `${moment(base.opened_at)}, with ${plural(base.members.length, "socket")} and ${bytes(base.stored_bytes)} stored.`);
    const { dev } = await ask("session");
    const [, tenant, , plugin] = this.#place;
    setText(this.#command, dev ? `parlor replay .parlor/tapes/${this.title}`
      : `parlor replay ${this.title} --component parlor-data/versions/${tenant}/${plugin}/${base.version}.wasm`);
    if (!turns.some(({ turn }) => turn === this.#shown)) this.#shown = turns.at(-1)?.turn ?? null;
    this.#showTurns();
    this.#showOne();
  }

  deploys() {}

  lost() {}

  #showTurns() {
    const turns = (this.#tape?.turns ?? []).filter((turn) => !this.#onlyFailed.checked || failed(turn));
    this.#turns.show(turns.map((turn) => ({
      key: String(turn.turn),
      hot: failed(turn),
      cells: [
        () => this.#turnButton(turn.turn), nameOf(turn), ofWhom(turn), outcomeWords(turn), seconds(turn.cpu_ns / 1e9),
        count(turn.calls.length), count(turn.effects.emits), count(turn.effects.writes),
      ],
    })));
    this.#mark();
  }

  #turnButton(number) {
    const show = () => {
      this.#shown = number;
      // The address names the turn, and the view stays.
      history.replaceState(null, "", hash(...this.#place, "tape", this.title, "turn", String(number)));
      this.#mark();
      this.#showOne();
      this.#one.scrollIntoView({ block: "nearest" });
    };
    return make("button", { type: "button", class: "quiet small", "data-turn": number, "aria-label": `Show turn ${number}`, onclick: show }, String(number));
  }

  #mark() {
    for (const button of this.#turns.table.querySelectorAll("[data-turn]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.turn) === this.#shown));
    }
  }

  #showOne() {
    const { base, turns } = this.#tape;
    const at = turns.findIndex(({ turn }) => turn === this.#shown);
    if (at < 0) return;
    const before = beginning(base);
    for (const earlier of turns.slice(0, at)) apply(before, earlier);
    const turn = turns[at];
    const now = copy(before);
    apply(now, turn);
    this.#one.replaceChildren(
      section(`Turn ${turn.turn}: ${nameOf(turn)}`, ...head(turn)),
      section("Calls", callsOf(turn)),
      section("Members", membersTable(before, now)),
      section("Storage", ...storageParts(before, now)),
    );
  }

  async #delete() {
    try {
      await ask(this.#key, { method: "DELETE" });
      location.hash = hash(...this.#place);
    } catch (error) {
      setText(this.#said, `It was not deleted: ${wordsOf(error)}`);
    }
  }
}

function nameOf({ event }) {
  if (event === null) return "init";
  return event.cause === event.name ? event.name : `${event.name} (${event.cause})`;
}

function ofWhom({ event }) {
  return typeof event?.socket === "number" ? `socket ${event.socket}` : "–";
}

function shown(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

// What the event brought, and what became of the turn.
function head(turn) {
  const { event, between, effects, verdict } = turn;
  const facts = [["Outcome", outcomeWords(turn)], ["The room", verdict ?? "did not decide before the tape was written"]];
  if (event !== null) {
    facts.unshift(["Accepted", moment(event["accepted-at"] ?? event.accepted_at)], ["Payload", payloadWords(event.payload)]);
    if (event.channel) facts.unshift(["Channel", event.channel]);
    if (event.attachments?.length) facts.push(["Attachments", event.attachments.map(valueWords).join("\n")]);
  }
  for (const what of between) facts.unshift(["Before it", betweenWords(what)]);
  const { emits, deliveries, elsewhere, closes, writes, written_bytes: size, alarm } = effects;
  const did = [
    [emits, plural(emits, "emit") + ` to ${plural(deliveries, "socket")}`], [elsewhere, plural(elsewhere, "emit") + " to other rooms"],
    [closes, plural(closes, "close")], [writes, `${plural(writes, "write")} of ${bytes(size)}`],
    [alarm !== null, "a change of the alarm"], [turn.random_bytes, `${bytes(turn.random_bytes)} of randomness`],
  ].filter(([is]) => is).map(([, words]) => words);
  facts.push([failed(turn) ? "Asked for" : "Did", did.join(", ") || "nothing"]);
  return [make("dl", { class: "turn-facts" }, ...facts.map(([name, words]) => make("div", {}, make("dt", {}, name), make("dd", {}, words))))];
}

function payloadWords(payload) {
  return payload === null || payload === undefined ? "none" : payload.Json ?? valueWords(payload.Binary);
}

// A payload's JSON stands as it is, and not as text of text.
function argument(value) {
  return typeof value?.Json === "string" ? value.Json : JSON.stringify(value);
}

function betweenWords(what) {
  const [[kind, value]] = Object.entries(what);
  const words = {
    admitted: () => `socket ${value.socket} of ${value.user} became a member`,
    departed: () => `socket ${value} left`,
    forgotten: () => `socket ${value} was forgotten`,
    "timer-taken": () => `the timer ${value} was due`,
  }[kind];
  return words ? words() : kind;
}

function callsOf({ calls }) {
  if (calls.length === 0) return make("p", { class: "hint" }, "It made no call to the host.");
  const item = ({ call, args, answer }) => make("li", {},
    make("code", {}, `${call}(${(args ?? []).map(argument).join(", ")})`),
    answer === null || answer === undefined ? null : make("code", { class: "answer" }, `→ ${shown(answer)}`));
  return make("ol", { class: "calls", tabindex: "0", role: "region", "aria-label": "Calls of the turn" }, ...calls.map(item));
}

// Rows that the turn changed stand out; what is gone is told as well.
function changes(before, now, words) {
  const keys = [...new Set([...before.keys(), ...now.keys()])].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return keys.map((key) => {
    const [old, fresh] = [before, now].map((of) => (of.has(key) ? words(of.get(key)) : null));
    const was = old === null ? "new" : fresh === null ? "gone" : old === fresh ? "" : "changed";
    return { key, was, old, fresh };
  });
}

function membersTable(before, now) {
  const words = ({ user, client, channels, fields, is_present: present }) =>
    JSON.stringify([user, client, channels.join(", "), fields, present]);
  const table = new Table("Members", ["Socket", "User", "Channels", "Client", "Fields", ""], "Nobody was in the room.");
  table.show(changes(before.members, now.members, words).map(({ key, was, old, fresh }) => {
    const [user, client, channels, fields, present] = JSON.parse(fresh ?? old);
    return { key: String(key), hot: was !== "", cells: [String(key), user, channels, client, fields, was || (present ? "" : "has left")] };
  }));
  return table.box;
}

function storageParts(before, now) {
  if (!before.storage) return [make("p", { class: "hint" }, "The room stored more than a tape takes along: only its calls are known.")];
  const table = new Table("Stored after the turn", ["Key", "", "Before", "After"], "The room stored nothing.");
  table.show(changes(before.storage, now.storage, valueWords).map(({ key, was, old, fresh }) => ({
    key, hot: was !== "", cells: [key, was, was === "changed" || was === "gone" ? old : "", fresh ?? ""],
  })));
  const alarm = now.alarm ? `Its alarm rings at ${moment(now.alarm)}.` : null;
  return [...(alarm ? [make("p", { class: "hint" }, alarm)] : []), table.box];
}

/** The tapes of a plugin, as a table with links. */
export class TapeList {
  #key;
  #place;
  #table = new Table("Tapes", ["Tape", "Written", "Size"], "Nothing is recorded, or nothing failed: record = \"failures\" in the plugin's table has failures recorded.");
  #tapes = [];

  constructor(tenant, plugin) {
    this.#key = path(tenant, plugin);
    this.#place = ["t", tenant, "p", plugin];
    this.box = this.#table.box;
  }

  async ask() {
    const { tapes } = await ask(`plugins/${this.#key}/tapes`).catch(() => ({ tapes: [] }));
    this.#tapes = tapes;
    this.#table.show(tapes.map(({ name, bytes: size, time }) => ({
      key: name, cells: [() => link(name, ...this.#place, "tape", name), moment(time), bytes(size)],
    })));
  }

  /** The tape that was written for a failure, as a link; none where there is none. */
  of({ time, room }) {
    const plugin = this.#place[3];
    const isOf = ({ name, time: written }) => written > time - SOONER_MS && written < time + LATER_MS
      && [`${room}-`, `${plugin}-${room}-`].some((begin) => name.startsWith(begin));
    const found = room ? this.#tapes.findLast(isOf) : undefined;
    return found && link("Turn by turn", ...this.#place, "tape", found.name);
  }
}

// A tape is written when its turn has failed; the clock of a file system is a little coarser than ours.
const SOONER_MS = 100;
const LATER_MS = 3_000;

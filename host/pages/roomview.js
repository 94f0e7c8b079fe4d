// One room: who is in it, what it says, what it stores.
import { ask, path, wordsOf } from "./api.js";
import { complain, field, make, plural, setText } from "./dom.js";
import { LogLines, LoggedView } from "./loglines.js";
import { Table, section } from "./parts.js";
import { StorageBrowser } from "./storagebrowser.js";

const SOCKETS_PAGE = 100;

export class RoomView extends LoggedView {
  #key;
  #facts = make("p", { class: "lead", role: "status" });
  #sockets = new Table("Sockets", ["Socket", "User", "", "Channels", "Client", "Fields"], "Nobody is in the room.");
  #said = make("p", { class: "hint", role: "status" });
  #storage;
  #seen = "";
  #turns = -1;

  constructor(tenant, plugin, room) {
    super(new LogLines("Log of the room"));
    this.#key = path(tenant, plugin, room);
    this.title = room;
    this.live = { topics: "figures,log,failures", tenant, plugin, room };
    this.#storage = new StorageBrowser(this.#key);
    this.box = make(
      "div",
      {},
      this.#facts,
      section("Sockets", this.#said, this.#sockets.box),
      section("Log", this.lines.box),
      section("Storage", this.#storage.box),
      section("Emit", this.#emitForm()),
    );
  }

  async open() {
    await Promise.all([this.#askSockets(), this.#storage.open()]);
  }

  past() {}

  figures({ room }) {
    const words = room.open
      ? `${plural(room.sockets, "socket")} of ${plural(room.users, "user")}, version ${room.version}, ${room.awake ? "awake" : "asleep"}, ${plural(room.turns, "turn")}`
      : "The room is not open: it opens with its first socket.";
    setText(this.#facts, words);
    const seen = JSON.stringify([room.open, room.sockets, room.users]);
    if (seen !== this.#seen) this.#askSockets();
    this.#seen = seen;
    if (room.open) this.#storage.opened();
    if (this.#turns !== -1 && room.turns !== this.#turns) this.#storage.changed();
    this.#turns = room.turns;
  }

  async #askSockets() {
    const { sockets, more } = await ask(`rooms/${this.#key}/sockets?limit=${SOCKETS_PAGE}`);
    this.#sockets.show(sockets.map(({ socket, user, client, channels, fields }) => ({
      key: String(socket),
      cells: [String(socket), user, () => this.#kickButton(socket, user), channels.join(", "), client, JSON.stringify(fields)],
    })));
    if (more) setText(this.#said, `The first ${SOCKETS_PAGE} sockets.`);
  }

  #kickButton(socket, user) {
    const kick = async () => {
      try {
        const { kicked } = await ask(`rooms/${this.#key}/sockets/${socket}`, { method: "DELETE" });
        setText(this.#said, kicked ? `Socket ${socket} of ${user} was closed.` : `Socket ${socket} is gone already.`);
      } catch (error) {
        setText(this.#said, `Socket ${socket} was not closed: ${wordsOf(error)}`);
      }
      await this.#askSockets();
    };
    return make("button", { type: "button", class: "quiet small", "aria-label": `Kick socket ${socket} of ${user}`, onclick: kick }, "Kick");
  }

  #emitForm() {
    const event = field("Event", make("input", { type: "text", autocomplete: "off", spellcheck: "false" }));
    const channel = field("Channel", make("input", { type: "text", value: "default", autocomplete: "off", spellcheck: "false" }));
    const data = field("Data", make("textarea", { rows: "3", spellcheck: "false" }), { hint: "JSON; empty is {}.", wide: true });
    const said = make("p", { class: "hint", role: "status" });
    const form = make("form", { class: "panel fields", novalidate: true }, event.box, channel.box, data.box,
      make("div", { class: "actions" }, make("button", { type: "submit", class: "main" }, "Emit"), said));
    form.addEventListener("submit", async (submitted) => {
      submitted.preventDefault();
      complain(data, "");
      let parsed;
      try {
        parsed = data.control.value.trim() === "" ? {} : JSON.parse(data.control.value);
      } catch (error) {
        return complain(data, `This is not JSON: ${error.message}`);
      }
      try {
        const body = { event: event.control.value, channel: channel.control.value, data: parsed };
        const { sent } = await ask(`rooms/${this.#key}/emit`, { method: "POST", body });
        setText(said, `Sent to ${plural(sent, "socket")}.`);
      } catch (error) {
        setText(said, `Not sent: ${wordsOf(error)}`);
      }
    });
    return form;
  }
}

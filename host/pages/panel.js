// One connection of the playground: where to, as whom; what to send; what came.
import { valueWords } from "./bytes.js";
import { ParlorClient, socketAddress } from "./client.js";
import { complain, field, make, setText } from "./dom.js";
import { FrameLog } from "./framelog.js";
import { Message, PLAIN_TEXT } from "./message.js";

const ROOM = /^[A-Za-z0-9._~-]{1,128}$/;
const STATE_WORDS = { closed: "Not connected", connecting: "Connecting…", open: "Connected", waiting: "Lost" };

export class Panel {
  #client = null;
  #plugins = [];
  #plugin = field("Plugin", make("select"));
  #room = field("Room", make("input", { type: "text", value: "default", ...PLAIN_TEXT }));
  #query;
  #address = make("code", { class: "address" });
  #state = make("span", { class: "state", role: "status" });
  #connect = make("button", { type: "submit", class: "main" }, "Connect");
  #remove = make("button", { type: "button", class: "quiet small", title: "Remove" }, "×");
  #message;
  #log;

  constructor(number, name, removed) {
    this.number = number;
    this.#query = field("Query", make("input", { type: "text", value: `userId=${name}`, ...PLAIN_TEXT }), {
      hint: "Goes to the plugin's authorize as it stands, for example userId=ana&token=secret.",
      wide: true,
    });
    this.#log = new FrameLog(`Frames of connection ${number}`);
    this.#message = new Message(number, (message) => this.#sendMessage(message));
    this.#remove.setAttribute("aria-label", `Remove connection ${number}`);
    this.#remove.addEventListener("click", () => {
      this.#client?.close();
      removed();
    });
    this.box = this.#layout();
    this.#listen();
    this.#showState("closed");
  }

  get idle() {
    return this.#client === null;
  }

  focus() {
    if (this.idle) this.#connect.focus({ preventScroll: true });
    else this.#message.focus();
    this.box.scrollIntoView({ block: "start" });
  }

  allowRemoval(allowed) {
    this.#remove.hidden = !allowed;
  }

  /** The plugins that are served now. The choice stays where the chosen one is still there. */
  offer(plugins) {
    this.#plugins = plugins;
    if (!this.idle) return this.#suggest(); // what it is connected to stays on show
    const select = this.#plugin.control;
    const chosen = select.value;
    const values = plugins.map(keyOf);
    if ([...select.options].map(({ value }) => value).join() !== values.join()) {
      select.replaceChildren(...plugins.map((plugin) =>
        make("option", { value: keyOf(plugin) }, `${plugin.plugin} at ${plugin.path}`)));
      if (values.includes(chosen)) select.value = chosen;
    }
    this.#choiceChanged();
  }

  choose(plugin, room = "default") {
    this.#plugin.control.value = keyOf(plugin);
    this.#room.control.value = room;
    this.#choiceChanged();
  }

  #layout() {
    const title = make("h3", { id: `panel-${this.number}` }, `Connection ${this.number}`);
    this.target = make(
      "form",
      { class: "fields", novalidate: true },
      this.#plugin.box,
      this.#room.box,
      this.#query.box,
      make("p", { class: "address-line" }, make("span", { class: "caption" }, "Address "), this.#address),
      make("div", { class: "actions" }, this.#connect),
    );
    return make(
      "section",
      { class: "panel", "aria-labelledby": title.id },
      make("header", { class: "panel-head" }, title, this.#state, this.#remove),
      this.target,
      this.#message.box,
      this.#log.box,
    );
  }

  #listen() {
    this.target.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#client) this.#client.close();
      else this.#open();
    });
    for (const { control } of [this.#plugin, this.#room, this.#query]) {
      control.addEventListener("input", () => this.#choiceChanged());
    }
  }

  get #chosen() {
    return this.#plugins.find((plugin) => keyOf(plugin) === this.#plugin.control.value);
  }

  #suggest() {
    const names = (this.#chosen?.events ?? []).filter((name) => name !== "*" && !name.startsWith("$"));
    this.#message.suggest(names);
  }

  // The address is shown before anybody connects, and the fields that it is made of are checked on the way.
  #choiceChanged() {
    this.#suggest();
    const room = this.#room.control.value;
    complain(this.#room, ROOM.test(room) ? "" : "1 to 128 of the characters A-Z a-z 0-9 . _ ~ -");
    const query = new URLSearchParams(this.#query.control.value);
    complain(this.#query, query.has("room") ? "The room has a field of its own." : "");
    const ready = this.#chosen && ROOM.test(room) && !query.has("room");
    setText(this.#address, ready ? this.#fullAddress() : "—");
    this.#connect.disabled = !ready;
  }

  // The query stands in the address as it was typed; only the room is added, where it is not the default.
  #fullAddress() {
    const room = this.#room.control.value;
    const parts = [room === "default" ? "" : `room=${room}`, this.#query.control.value.trim().replace(/^\?/, "")];
    const query = parts.filter((part) => part !== "").join("&");
    // This page lies in `_parlor/`, and the plugins' paths begin where that does.
    const address = `..${this.#chosen.path}${query ? `?${query}` : ""}`;
    return socketAddress(address, { base: new URL(".", document.baseURI) });
  }

  #open() {
    const address = this.#fullAddress();
    this.#log.note(`connecting to ${address}`);
    try {
      // A refused upgrade is an answer, not a loss: only a connection that was open comes back.
      let wasOpen = false;
      const client = new ParlorClient(address, {
        shouldReconnect: (close) => {
          wasOpen ||= close.opened;
          return wasOpen && close.code !== 1000;
        },
      });
      client.onState((change) => this.#changed(change));
      client.onFrame((direction, text) => this.#log.frame(direction, text));
      this.#client = client;
      this.#showState("connecting");
    } catch (error) {
      this.#log.note(error.message, "bad");
    }
  }

  #changed({ state, delayMs, close }) {
    const code = close ? `${close.code}${close.reason ? ` ${close.reason}` : ""}` : "";
    if (state === "open") this.#log.note("connected", "good");
    if (state === "waiting") this.#log.note(`lost (${code}), next attempt in ${(delayMs / 1000).toFixed(1)} s`, "bad");
    if (state === "closed") {
      const refused = !close.opened && close.code === 1006;
      this.#log.note(refused ? "refused, or nobody there; the host's log says why" : `closed (${code})`, refused ? "bad" : "");
      this.#client = null;
    }
    this.#showState(state);
  }

  #showState(state) {
    this.#state.dataset.state = state;
    setText(this.#state, STATE_WORDS[state]);
    const closed = state === "closed";
    setText(this.#connect, closed ? "Connect" : state === "open" ? "Disconnect" : "Stop");
    this.#connect.classList.toggle("main", closed);
    for (const { control } of [this.#plugin, this.#room, this.#query]) control.disabled = !closed;
    this.#message.enable(!closed);
    if (closed) this.#choiceChanged();
    else this.#connect.disabled = false;
  }

  #sendMessage({ event, data, channel, waits }) {
    const client = this.#client;
    if (!client) return; // closed while a file was read
    const taken = waits ? this.#request(client, event, data, channel) : client.emit(event, data, channel);
    if (!taken) this.#log.note("not sent: the queue of this connection is full", "bad");
    else if (client.state !== "open") this.#log.note(`${event} waits for the connection`);
  }

  // Notes what became of an event, and how long that took.
  async #request(client, event, data, channel) {
    const begun = performance.now();
    const ended = (words, kind) => this.#log.note(`${event} ${words} after ${Math.round(performance.now() - begun)} ms`, kind);
    try {
      const answer = await client.request(event, data, { channel });
      ended(answer === undefined ? "was handled" : `was answered ${valueWords(answer)}`, "good");
    } catch ({ code, message }) {
      ended(`failed: ${code === undefined || message.includes(code) ? message : `${code}: ${message}`},`, "bad");
    }
  }
}

function keyOf({ tenant, plugin }) {
  return `${tenant}/${plugin}`;
}

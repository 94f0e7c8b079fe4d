// One connection of the playground: where to, as whom; what to send; what came.
import { ParlorClient, socketAddress } from "./client.js";
import { arrange, complain, field, make, setText } from "./dom.js";
import { FrameLog } from "./framelog.js";

const ROOM = /^[A-Za-z0-9._~-]{1,128}$/;
const STATE_WORDS = { closed: "Not connected", connecting: "Connecting…", open: "Connected", waiting: "Lost" };

export class Panel {
  #client = null;
  #plugins = [];
  #plugin = field("Plugin", make("select"));
  #room = field("Room", make("input", { type: "text", value: "default", ...plainText() }));
  #query;
  #event = field("Event", make("input", { type: "text", ...plainText() }));
  #channel = field("Channel", make("input", { type: "text", placeholder: "none", ...plainText() }));
  #data = field("Data", make("textarea", { rows: "3", placeholder: '{"text":"hello"}', ...plainText() }), {
    hint: "JSON; empty for a frame without data. Ctrl+Enter sends.",
    wide: true,
  });
  #suggestions = make("datalist");
  #address = make("code", { class: "address" });
  #state = make("span", { class: "state", role: "status" });
  #connect = make("button", { type: "submit", class: "main" }, "Connect");
  #send = make("button", { type: "submit", class: "main" }, "Send");
  #remove = make("button", { type: "button", class: "quiet small", title: "Remove" }, "×");
  #log;

  constructor(number, name, removed) {
    this.number = number;
    this.#query = field("Query", make("input", { type: "text", value: `userId=${name}`, ...plainText() }), {
      hint: "Goes to the plugin's authorize as it stands, for example userId=ana&token=secret.",
      wide: true,
    });
    this.#log = new FrameLog(`Frames of connection ${number}`);
    this.#suggestions.id = `events-${number}`;
    this.#event.control.setAttribute("list", this.#suggestions.id);
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
    (this.idle ? this.#connect : this.#event.control).focus({ preventScroll: true });
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
    this.message = make(
      "form",
      { class: "fields", novalidate: true },
      this.#event.box,
      this.#channel.box,
      this.#suggestions,
      this.#data.box,
      make("div", { class: "actions" }, this.#send),
    );
    return make(
      "section",
      { class: "panel", "aria-labelledby": title.id },
      make("header", { class: "panel-head" }, title, this.#state, this.#remove),
      this.target,
      this.message,
      this.#log.box,
    );
  }

  #listen() {
    this.target.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#client) this.#client.close();
      else this.#open();
    });
    this.message.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#sendEvent();
    });
    this.#data.control.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.message.requestSubmit();
    });
    for (const { control } of [this.#plugin, this.#room, this.#query]) {
      control.addEventListener("input", () => this.#choiceChanged());
    }
    for (const place of [this.#event, this.#data]) place.control.addEventListener("input", () => complain(place, ""));
  }

  get #chosen() {
    return this.#plugins.find((plugin) => keyOf(plugin) === this.#plugin.control.value);
  }

  #suggest() {
    const names = (this.#chosen?.events ?? []).filter((name) => name !== "*" && !name.startsWith("$"));
    arrange(this.#suggestions, names.map((name) =>
      [...this.#suggestions.children].find(({ value }) => value === name) ?? make("option", { value: name })));
    this.#event.control.placeholder = names.find((name) => name !== "ping") ?? "chat.message";
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
    this.#send.disabled = closed;
    if (closed) this.#choiceChanged();
    else this.#connect.disabled = false;
  }

  #sendEvent() {
    const event = this.#event.control.value.trim();
    complain(this.#event, event === "" ? "Which event? For example chat.message." : "");
    const { problem, data } = readData(this.#data.control.value);
    complain(this.#data, problem);
    if (event === "" || problem !== "") {
      (event === "" ? this.#event : this.#data).control.focus();
      return;
    }
    const channel = this.#channel.control.value.trim();
    const taken = this.#client?.emit(event, data, channel === "" ? undefined : channel);
    if (!taken) this.#log.note("not sent: the queue of this connection is full", "bad");
    else if (this.#client.state !== "open") this.#log.note(`${event} waits for the connection`);
  }
}

function keyOf({ tenant, plugin }) {
  return `${tenant}/${plugin}`;
}

function plainText() {
  return { autocomplete: "off", autocapitalize: "off", spellcheck: "false" };
}

// Every browser words it differently; what all have in common is shown, with the place where they tell it.
function readData(text) {
  if (text.trim() === "") return { problem: "", data: undefined };
  try {
    return { problem: "", data: JSON.parse(text) };
  } catch (error) {
    const quoted = /^\s*["{[\d-]|^\s*(true|false|null)\b/.test(text) ? "" : ' Text stands in double quotes: "like this".';
    return { problem: `This is not JSON: ${error.message}.${quoted}` };
  }
}

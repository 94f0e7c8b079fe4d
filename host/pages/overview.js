// What is served: tenants, their plugins, and of each plugin its path, version, events, rooms and failures.
import { arrange, count, make, plural, setText } from "./dom.js";
import { hash, link } from "./parts.js";

// More rows than this help nobody; the API itself tells of the first 1,000.
const ROOMS_SHOWN = 100;

/** The upper half of the page. Cards are kept between refreshes, so that what is open stays open. */
export class Overview {
  #served;
  #empty;
  #totals;
  #tenants = new Map();
  #cards = new Map();
  #usage = new Map();
  #tryOut;

  /** `tryOut(plugin, room)` is called when somebody wants to try a plugin, or one of its rooms. */
  constructor(page, tryOut) {
    this.#served = page.getElementById("served");
    this.#empty = page.getElementById("served-empty");
    this.#totals = page.getElementById("totals");
    this.#tryOut = tryOut;
  }

  /** `tenants` is what each tenant uses, as the API tells it. */
  show(plugins, tenants = []) {
    this.#usage = new Map(tenants.map(({ tenant, usage }) => [tenant, usage]));
    this.#showTotals(plugins);
    this.#empty.hidden = plugins.length > 0;
    if (plugins.length === 0) {
      setText(this.#empty, "No plugin is served. Put a component file into the plugins folder, or run `parlor dev` "
        + "beside a plugin project; the host's log says why a file was refused.");
    }
    const byTenant = groupByTenant(plugins);
    const groups = [...byTenant].map(([tenant, own]) => this.#group(tenant, own, byTenant.size > 1));
    arrange(this.#served, groups);
    const known = new Set(plugins.map(keyOf));
    for (const key of this.#cards.keys()) if (!known.has(key)) this.#cards.delete(key);
    for (const tenant of this.#tenants.keys()) if (!byTenant.has(tenant)) this.#tenants.delete(tenant);
  }

  #showTotals(plugins) {
    this.#totals.hidden = false;
    const sum = (value) => plugins.reduce((total, plugin) => total + (value(plugin) ?? 0), 0);
    const totals = {
      plugins: plugins.length,
      rooms: sum(openRooms),
      sockets: sum(({ sockets }) => sockets),
      failures: sum(({ failures }) => failures),
    };
    for (const [name, value] of Object.entries(totals)) {
      const place = this.#totals.querySelector(`[data-total="${name}"]`);
      setText(place, count(value));
      place.parentElement.classList.toggle("alarming", name === "failures" && value > 0);
    }
  }

  #group(tenant, plugins, several) {
    if (!this.#tenants.has(tenant)) {
      const usage = make("span", { class: "hint" });
      const title = make("h3", { class: "tenant" }, "Tenant ", make("b", {}, tenant), " ", usage);
      const cards = make("div", { class: "cards" });
      this.#tenants.set(tenant, { box: make("div", { class: "group" }, title, cards), title, usage, cards });
    }
    const group = this.#tenants.get(tenant);
    setText(group.usage, usageOf(this.#usage.get(tenant)));
    group.title.hidden = !several && tenant === "default";
    arrange(group.cards, plugins.map((plugin) => this.#card(plugin)));
    return group.box;
  }

  #card(plugin) {
    const key = keyOf(plugin);
    if (!this.#cards.has(key)) this.#cards.set(key, new Card(this.#tryOut));
    const card = this.#cards.get(key);
    card.show(plugin);
    return card.box;
  }
}

function keyOf({ tenant, plugin }) {
  return `${tenant}/${plugin}`;
}

// What a tenant uses, in words; nothing where the host does not say.
function usageOf(usage) {
  if (!usage) return "";
  const mebibytes = (bytes) => `${count(Math.round(bytes / (1 << 20)))} MiB`;
  const { sockets, memory_bytes: memory, cpu_seconds: seconds, cpu_owed_ms: owed } = usage;
  const waits = owed > 0 ? `, waits ${count(owed)} ms for more` : "";
  return `${plural(sockets.used, "socket")} of ${count(sockets.max)}, ${mebibytes(memory.used)} of ${mebibytes(memory.max)}, `
    + `${count(Math.round(seconds))} s of CPU${waits}`;
}

// `3 (trap 2, returned 1)`.
function failuresOf({ failures, failures_by_kind: kinds }) {
  const parts = Object.entries(kinds ?? {}).map(([kind, number]) => `${kind} ${count(number)}`);
  return parts.length > 0 ? `${count(failures)} (${parts.join(", ")})` : count(failures);
}

function openRooms({ rooms, rooms_open: open }) {
  return open ?? rooms?.length;
}

function groupByTenant(plugins) {
  const groups = new Map();
  for (const plugin of plugins) {
    if (!groups.has(plugin.tenant)) groups.set(plugin.tenant, []);
    groups.get(plugin.tenant).push(plugin);
  }
  return groups;
}

class Card {
  #plugin = {};
  #seen = "";
  #tryOut;
  #view = make("a", {});
  #name = make("h4", {}, this.#view);
  #display = make("span", { class: "display" });
  #links = make("div", { class: "card-links" });
  #path = make("code", {});
  #version = make("code", {});
  #sockets = make("dd", {});
  #failures = make("dd", {});
  #badFrames = make("dd", {});
  #state = make("p", { class: "problem", hidden: true });
  #events = make("ul", { class: "chips" });
  #roomCount = make("summary", {});
  #rooms = make("div", { class: "rooms", tabindex: "0" });
  #pages = make("a", {}, "Open its page");

  constructor(tryOut) {
    this.#tryOut = tryOut;
    const tryIt = make("button", { type: "button", class: "quiet", onclick: () => tryOut(this.#plugin) }, "Try it");
    this.#links.append(this.#pages, tryIt);
    this.tryIt = tryIt;
    this.box = make(
      "article",
      { class: "card" },
      make("header", { class: "card-head" }, make("div", {}, this.#name, this.#display), this.#links),
      this.#state,
      make(
        "dl",
        { class: "facts" },
        make("div", {}, make("dt", {}, "Path"), make("dd", {}, this.#path)),
        make("div", {}, make("dt", {}, "Version"), make("dd", {}, this.#version)),
        make("div", {}, make("dt", {}, "Sockets"), this.#sockets),
        make("div", {}, make("dt", {}, "Failures"), this.#failures),
        make("div", {}, make("dt", {}, "Dropped frames"), this.#badFrames),
      ),
      make("div", { class: "events" }, make("span", { class: "caption" }, "Events"), this.#events),
      make("details", {}, this.#roomCount, this.#rooms),
    );
  }

  show(plugin) {
    this.#plugin = plugin;
    const now = JSON.stringify(plugin);
    if (now === this.#seen) return;
    this.#seen = now;
    setText(this.#view, plugin.plugin);
    this.#view.setAttribute("href", hash("t", plugin.tenant, "p", plugin.plugin));
    setText(this.#display, plugin.name && plugin.name !== plugin.plugin ? plugin.name : "");
    this.tryIt.setAttribute("aria-label", `Try ${plugin.plugin} in the playground`);
    const page = ownPage(plugin.pages);
    this.#pages.hidden = page === null;
    if (page !== null) this.#pages.setAttribute("href", page);
    setText(this.#path, plugin.path);
    setText(this.#version, plugin.version);
    setText(this.#sockets, count(plugin.sockets));
    const { quarantine } = plugin;
    this.#state.hidden = !quarantine;
    setText(this.#state, quarantine ? `Out of service since ${new Date(quarantine.since).toLocaleString()}: ${quarantine.why}` : "");
    setText(this.#failures, failuresOf(plugin));
    this.#failures.parentElement.classList.toggle("alarming", plugin.failures > 0);
    setText(this.#badFrames, count(plugin.bad_frames));
    this.#badFrames.parentElement.hidden = !(plugin.bad_frames > 0);
    this.#showEvents(plugin.events ?? []);
    this.#showRooms(plugin);
  }

  #showEvents(events) {
    const chips = events.map((event) => make("li", { class: event.startsWith("$") ? "chip hook" : "chip" }, event));
    if (chips.length === 0) chips.push(make("li", { class: "none" }, "none registered"));
    this.#events.replaceChildren(...chips);
  }

  #showRooms(plugin) {
    const rooms = plugin.rooms ?? [];
    const open = openRooms(plugin) ?? 0;
    setText(this.#roomCount, plural(open, "open room"));
    const shown = rooms.slice(0, ROOMS_SHOWN);
    // A room's row is rebuilt at each change: the focus goes back to the same room's button.
    const focused = this.#rooms.contains(document.activeElement) ? document.activeElement.dataset?.room : undefined;
    const rows = shown.map(({ room, sockets, users }) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, link(room, "t", plugin.tenant, "p", plugin.plugin, "r", room)),
        make("td", {}, count(sockets)),
        make("td", {}, count(users)),
        make("td", {}, make("button", {
          type: "button", class: "quiet small", "data-room": room, "aria-label": `Join room ${room} in the playground`,
          onclick: () => this.#tryOut(this.#plugin, room),
        }, "Join")),
      ));
    const head = ["Room", "Sockets", "Users"].map((title) => make("th", { scope: "col" }, title));
    const table = make("table", {}, make("thead", {}, make("tr", {}, ...head, make("td", {}))), make("tbody", {}, ...rows));
    const rest = open - shown.length;
    this.#rooms.setAttribute("aria-label", `Rooms of ${plugin.plugin}`);
    this.#rooms.replaceChildren(
      ...(rows.length > 0 ? [table] : [make("p", { class: "hint" }, "A room opens with its first socket.")]),
      ...(rest > 0 ? [make("p", { class: "hint" }, `and ${count(rest)} more`)] : []),
    );
    if (focused !== undefined) {
      [...this.#rooms.querySelectorAll("button")].find((button) => button.dataset.room === focused)?.focus();
    }
  }
}

// The host says where pages are, as seen from this one; anything but a path of its own is not a link that we make.
function ownPage(pages) {
  const own = typeof pages === "string" && pages.startsWith("/_parlor/pages/");
  return own ? pages.slice("/_parlor/".length) : null;
}

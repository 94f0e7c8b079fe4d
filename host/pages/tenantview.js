// One tenant: what it uses of what it may, its plugins, its log.
import { ask, path } from "./api.js";
import { count, make } from "./dom.js";
import { LogLines, LoggedView } from "./loglines.js";
import { Bar, Table, bytes, link, section } from "./parts.js";
import { Plots } from "./plot.js";

// What is shown as a bar: the figure, its words, and the limit that bounds it.
const BARS = [
  ["sockets", "Sockets", "sockets-per-tenant", count],
  ["rooms", "Open rooms", "rooms-per-tenant", count],
  ["awake_rooms", "Awake rooms", "awake-rooms-per-tenant", count],
  ["memory_bytes", "Memory", "memory-tenant-bytes", bytes],
  ["storage_bytes", "Storage", "storage-tenant-bytes", bytes],
  ["outbound_bytes", "Queued for sockets", "outbound-tenant-bytes", bytes],
];

export class TenantView extends LoggedView {
  #tenant;
  #plots = new Plots("turns", "cpu", "sockets");
  #bars = make("div", { class: "bars" });
  #owed = make("p", { class: "notice", role: "status", hidden: true });
  #shown = new Map();
  #plugins = new Table("Plugins", ["Plugin", "Version", "Rooms", "Sockets", "Turns a second", "CPU", "Failures"], "It serves no plugin.");
  #quotas = new Table("Limits", ["Limit", "Value", "Set by"], "");

  constructor(tenant) {
    super(new LogLines("Log of the tenant", true));
    this.#tenant = tenant;
    this.title = tenant;
    this.live = { topics: "figures,log,failures,deploys", tenant };
    this.box = make(
      "div",
      {},
      section("Now", this.#plots.box),
      section("What it uses", this.#owed, this.#bars),
      section("Plugins", this.#plugins.box),
      section("Log", this.lines.box),
      section("Limits", make("details", {}, make("summary", {}, "All limits, and who set each"), this.#quotas.box)),
    );
  }

  async open() {
    const { usage, quotas } = await ask(`tenants/${path(this.#tenant)}`);
    const sources = new Map(quotas.map(({ limit, source }) => [limit, source]));
    for (const [figure, title, limit] of BARS) {
      this.#shown.set(figure, new Bar(title, `${limit}: ${sources.get(limit) ?? "default"}`));
    }
    this.#bars.replaceChildren(...[...this.#shown.values()].map(({ box }) => box));
    this.#quotas.show(quotas.map(({ limit, value, source }) => ({ key: limit, cells: [limit, count(value), source] })));
    this.#showUsage(usage);
  }

  past(past) {
    this.#plots.begin(past);
  }

  figures({ now, plugins, tenants }) {
    this.#plots.add(now);
    if (tenants[0]) this.#showUsage(tenants[0].usage);
    this.#plugins.show(plugins.map(({ plugin, version, rooms, sockets, failures, quarantined, now: last }) => ({
      key: plugin,
      hot: quarantined,
      cells: [
        () => link(plugin, "t", this.#tenant, "p", plugin),
        quarantined ? `${version} (out of service)` : version,
        count(rooms), count(sockets), count(last.turns), `${(last.cpu_us / 10_000).toFixed(1)} %`, count(failures),
      ],
    })));
  }

  #showUsage(usage) {
    for (const [figure, , , words] of BARS) this.#shown.get(figure)?.show(usage[figure].used, usage[figure].max, words);
    this.#owed.hidden = usage.cpu_owed_ms === 0;
    this.#owed.textContent = `It used more CPU time than it may: its rooms wait ${count(usage.cpu_owed_ms)} ms (tenant-cpu-percent).`;
  }
}

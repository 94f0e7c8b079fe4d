// The first view: tenants and what they use, what is served, the playground.
import { ask } from "./api.js";
import { Builds } from "./builds.js";
import { count, make } from "./dom.js";
import { Overview } from "./overview.js";
import { bytes, link, Table } from "./parts.js";
import { Playground } from "./playground.js";
import { Plots } from "./plot.js";

export class HostView {
  title = "Host";
  live = { topics: "figures,deploys" };
  #builds = new Builds(document);
  #playground = new Playground(document.getElementById("panels"), document.getElementById("add-panel"));
  #overview = new Overview(document, (plugin, room) => this.#playground.choose(plugin, room));
  #plots = new Plots("turns", "cpu", "sockets");
  #tenants = new Table("Tenants", ["Tenant", "CPU", "Owes", "Sockets", "Rooms", "Memory", "Stored"], "Nobody is known yet.");
  #seen = "";
  #cpu = new Map();
  #asking = null;
  #again = false;

  constructor() {
    this.box = document.getElementById("host-view");
    document.getElementById("host-plots").replaceChildren(this.#plots.box);
    document.getElementById("tenants").replaceChildren(this.#tenants.box);
  }

  async open() {
    this.#seen = "";
    await this.#ask();
  }

  past(past) {
    this.#plots.begin(past);
  }

  figures(figures) {
    this.#plots.add(figures.now);
    this.#showTenants(figures);
    // The lists are asked for again where something in them is new.
    const lists = figures.plugins.map(({ now, ...rest }) => rest);
    const seen = JSON.stringify([lists, figures.builds]);
    if (seen !== this.#seen) this.#ask();
    this.#seen = seen;
  }

  deploys() {
    this.#ask();
  }

  // One at a time: what is new meanwhile is asked for when the answer is there.
  async #ask() {
    this.#again = true;
    this.#asking ??= (async () => {
      try {
        while (this.#again) {
          this.#again = false;
          const [served, { tenants }] = await Promise.all([ask("plugins"), ask("tenants")]);
          this.#builds.show(served.builds);
          this.#overview.show(served.plugins, tenants);
          this.#playground.offer(served.plugins);
        }
      } finally {
        this.#asking = null;
      }
    })();
    return this.#asking;
  }

  // Who owes most comes first: the one that others would notice.
  #showTenants({ tenants, time }) {
    const rows = tenants.map(({ tenant, usage }) => {
      const before = this.#cpu.get(tenant);
      const share = before ? (usage.cpu_seconds - before.seconds) / ((time - before.time) / 1_000) : 0;
      this.#cpu.set(tenant, { seconds: usage.cpu_seconds, time });
      return { tenant, usage, share: Math.max(0, share) };
    });
    rows.sort((a, b) => b.usage.cpu_owed_ms - a.usage.cpu_owed_ms || Math.round(b.share * 20) - Math.round(a.share * 20)
      || a.tenant.localeCompare(b.tenant));
    this.#tenants.show(rows.map(({ tenant, usage, share }) => ({
      key: tenant,
      hot: usage.cpu_owed_ms > 0,
      cells: [
        () => link(tenant, "t", tenant),
        `${(share * 100).toFixed(1)} %`,
        usage.cpu_owed_ms > 0 ? `${count(usage.cpu_owed_ms)} ms` : "–",
        `${count(usage.sockets.used)} of ${count(usage.sockets.max)}`,
        count(usage.rooms.used),
        `${bytes(usage.memory_bytes.used)} of ${bytes(usage.memory_bytes.max)}`,
        bytes(usage.storage_bytes.used),
      ],
    })));
  }
}

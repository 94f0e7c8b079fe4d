// The page of the host; its links are relative, so that a proxy may serve it under a path of its own. Asks every two seconds what is served, and gives it to the overview and the playground.
import { Builds } from "./builds.js";
import { setText } from "./dom.js";
import { Overview } from "./overview.js";
import { Playground } from "./playground.js";

const PLUGINS_URL = "api/plugins";
const TENANTS_URL = "api/tenants";
const REFRESH_MS = 2_000;
const ANSWER_TIMEOUT_MS = 10_000;

const freshness = document.getElementById("freshness");
const playground = new Playground(document.getElementById("panels"), document.getElementById("add-panel"));
const builds = new Builds(document);
const overview = new Overview(document, (plugin, room) => playground.choose(plugin, room));

async function ask(url, list) {
  const response = await fetch(url, {
    headers: { accept: "application/json" },
    cache: "no-store",
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  });
  if (response.status === 401 || response.status === 403) throw new Error("the host wants the operator's token");
  if (!response.ok) throw new Error(`the host answered ${response.status}`);
  const body = await response.json();
  if (!Array.isArray(body[list])) throw new Error(`the host's answer has no list of ${list}`);
  return body;
}

function say(kind, text) {
  freshness.dataset.kind = kind;
  setText(freshness, text);
}

async function refresh() {
  try {
    const [served, { tenants }] = await Promise.all([ask(PLUGINS_URL, "plugins"), ask(TENANTS_URL, "tenants")]);
    builds.show(served.builds);
    overview.show(served.plugins, tenants);
    playground.offer(served.plugins);
    say("good", "Live");
  } catch (error) {
    const reason = error instanceof TypeError ? "the host does not answer" : error.message;
    say("bad", `Not up to date: ${reason}. Trying again…`);
  }
}

// One request at a time, none while nobody looks.
async function keepFresh() {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((wake) => setTimeout(wake, REFRESH_MS));
  }
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
keepFresh();

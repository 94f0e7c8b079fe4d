// The console: who is logged in, which view the address names, and the one stream that feeds it.
import { ask, wordsOf } from "./api.js";
import { make, setText } from "./dom.js";
import { HostView } from "./hostview.js";
import { Live } from "./live.js";
import { Login } from "./login.js";
import { LogView } from "./logview.js";
import { link } from "./parts.js";
import { PluginView } from "./pluginview.js";
import { RoomView } from "./roomview.js";
import { TapeView } from "./tapeview.js";
import { TenantView } from "./tenantview.js";

const freshness = document.getElementById("freshness");
const crumbs = document.getElementById("crumbs");
const logout = document.getElementById("logout");
const place = document.getElementById("view");
const hostBox = document.getElementById("host-view");

let host = null;
let view = null;
let live = null;

function say(kind, text) {
  freshness.dataset.kind = kind;
  setText(freshness, text);
}

// The view of an address: `#/`, `#/log`, `#/t/T`, `#/t/T/p/P`, `#/t/T/p/P/r/R`, `#/t/T/p/P/tape/NAME/turn/N`.
function viewOf(names) {
  const [t, tenant, p, plugin, r, room, , turn] = names;
  if (t === "log") return new LogView();
  if (t === "t" && p === "p" && r === "r") return new RoomView(tenant, plugin, room);
  if (t === "t" && p === "p" && r === "tape") return new TapeView(tenant, plugin, room, turn);
  if (t === "t" && p === "p") return new PluginView(tenant, plugin);
  if (t === "t") return new TenantView(tenant);
  return (host ??= new HostView());
}

// What was typed may be no encoded name: then it stands for itself.
function nameOf(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function namesOf(hash) {
  return hash.replace(/^#\/?/, "").split("/").filter((name) => name !== "").map(nameOf);
}

function showCrumbs(names) {
  const parts = [link("Host")];
  if (names[0] === "t") {
    for (let at = 1; at < names.length; at += 2) parts.push(link(names[at], ...names.slice(0, at + 1)));
  } else {
    parts.push(link("Log", "log"));
  }
  parts.at(-1).toggleAttribute("data-here", names.length > 0);
  if (names.length > 0) parts.at(-1).setAttribute("aria-current", "page");
  crumbs.replaceChildren(...parts.map((part) => make("li", {}, part)));
}

function close() {
  live?.close();
  live = null;
  view = null;
  place.replaceChildren();
  place.hidden = true;
  hostBox.hidden = true;
}

async function refresh(shown) {
  try {
    await shown.open();
  } catch (error) {
    if (view === shown) say("bad", `Not up to date: ${wordsOf(error)}`);
  }
}

function show() {
  close();
  const names = namesOf(location.hash);
  const shown = viewOf(names);
  view = shown;
  showCrumbs(names);
  document.title = names.length > 0 ? `${shown.title} – Parlor` : "Parlor";
  if (shown === host) {
    hostBox.hidden = false;
  } else {
    const heading = make("h1", { class: "view-title", tabindex: "-1" }, shown.title);
    place.replaceChildren(heading, shown.box);
    place.hidden = false;
    // A screen reader hears where it is now.
    heading.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
  say("", "Asking the host…");
  const events = ["past", "figures", "log", "failures", "deploys", "lost"].filter((name) => shown[name]);
  live = new Live(shown.live, {
    ...Object.fromEntries(events.map((name) => [name, (data) => shown[name](data)])),
    state: (kind, words) => {
      say(kind, words);
      // What was missed while nobody listened is asked for anew.
      if (kind === "good") refresh(shown);
    },
    refused: begin,
  });
}

const login = new Login(() => begin());

function showLogin() {
  close();
  crumbs.replaceChildren();
  logout.hidden = true;
  say("", "Not logged in");
  place.replaceChildren(login.box);
  place.hidden = false;
  login.focus();
}

/** Finds who is logged in, and shows what the address names. */
async function begin() {
  try {
    const session = await ask("session");
    if (session.caller === null) return showLogin();
    logout.hidden = session.dev && session.caller === "operator";
    setText(logout, session.tenant ? `Log out ${session.tenant}` : "Log out");
    if (!view) show();
  } catch (error) {
    say("bad", `Not up to date: ${wordsOf(error)}. Trying again…`);
    if (!view) setTimeout(begin, 2_000);
  }
}

logout.addEventListener("click", async () => {
  await ask("session", { method: "DELETE" });
  location.hash = "#/";
  showLogin();
});
window.addEventListener("parlor-logged-out", showLogin);
window.addEventListener("hashchange", () => {
  // Links within the page are no views.
  if (logout.hidden && !view) return;
  if (location.hash === "" || location.hash.startsWith("#/")) show();
});
begin();

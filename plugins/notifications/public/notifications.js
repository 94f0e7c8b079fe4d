// The page of the notifications plugin: connect with a token, receive, and send as far as the token's role allows.
import { connect, offerClients } from "/_parlor/example-client.js";

const ENTRIES_MOST = 200;
const STATE_KINDS = { open: "good", connecting: "", waiting: "bad", closed: "" };

const page = (id) => document.getElementById(id);
let client = null;

page("token").value = new URLSearchParams(location.search).get("token") ?? "demo-ada";
offerClients(page("client"), () => ({ token: page("token").value.trim() }));
page("connect").addEventListener("click", () => (client ? client.close() : join()));
page("notify").addEventListener("click", () => {
  send("notification.update", { userId: page("user").value.trim(), count: Number(page("unread").value) });
});
page("read").addEventListener("click", () => send("notification.mark-read", { id: "all" }));
page("announce").addEventListener("click", () => {
  if (send("admin.announcement", { message: page("announcement").value })) page("announcement").value = "";
});
onEnter("token", "connect");
onEnter("user", "notify");
onEnter("unread", "notify");
onEnter("announcement", "announce");

function join() {
  complain("");
  let welcomed = false;
  client = connect("/ws/notifications", {
    query: { token: page("token").value.trim() },
    // A token that is refused is refused the next time as well: only what was open comes back.
    shouldReconnect: ({ opened, code }) => (welcomed ||= opened) && code !== 1000,
  });
  client.on("welcome", ({ message, userId }) => add(`${message ?? "Connected"}: you are ${userId}.`));
  client.on("announcement", ({ from, message }) => add(`${from ?? "Somebody"} announces: ${message}`, "loud"));
  client.on("inbox_changed", ({ count }) => {
    showUnread(Number(count) || 0);
    add(`Your inbox changed: ${count} unread.`, "unread");
  });
  // All tabs of this user hear it, whichever of them said it.
  client.on("notification.read", () => {
    showUnread(0);
    for (const entry of page("inbox").querySelectorAll(".unread")) entry.classList.remove("unread");
  });
  client.on("error", ({ message }) => complain(message));
  client.onState(showState);
  showState({ state: client.state });
}

function showState({ state, delayMs, close }) {
  const words = {
    open: "Connected",
    connecting: "Connecting…",
    waiting: `Connection lost, next try in ${Math.ceil((delayMs ?? 0) / 1000)} s`,
    closed: "Not connected",
  };
  page("state").textContent = words[state];
  page("state").dataset.kind = STATE_KINDS[state];
  const closed = state === "closed";
  if (closed) client = null;
  if (closed && !close.opened && close.code === 1006) complain("Refused: is this a token that the plugin knows?");
  page("connect").textContent = closed ? "Connect" : "Disconnect";
  page("connect").classList.toggle("main", closed);
  page("token").disabled = !closed;
  for (const id of ["notify", "announce"]) page(id).disabled = state !== "open";
}

function send(event, data) {
  complain("");
  if (client?.emit(event, data)) return true;
  complain("Not sent: there is no connection.");
  return false;
}

function complain(text) {
  page("problem").hidden = text === "";
  page("problem").textContent = text;
}

function showUnread(count) {
  page("read").hidden = count === 0;
  page("count").hidden = count === 0;
  page("count").textContent = `${count} unread`;
}

// What others wrote is text here, never markup.
function add(text, kind = "") {
  const entry = document.createElement("li");
  entry.className = kind;
  entry.textContent = text;
  page("inbox").prepend(entry);
  if (page("inbox").children.length > ENTRIES_MOST) page("inbox").lastElementChild.remove();
  page("empty").hidden = true;
}

function onEnter(field, button) {
  page(field).addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) page(button).click();
  });
}

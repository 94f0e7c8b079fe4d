// The page of the inbox plugin: a user's notes, which the room keeps, and a place to write to others.
import { connect, offerClients } from "/_parlor/example-client.js";

const STATE_KINDS = { open: "good", connecting: "", waiting: "bad", closed: "bad" };

const page = (id) => document.getElementById(id);
const token = new URLSearchParams(location.search).get("token") ?? "demo-ada";
const notes = new Map(); // id -> { item, button }
let wasOpen = false;

offerClients(page("client"));

const client = connect("/ws/inbox", {
  query: { token },
  // A token that is refused is refused the next time as well.
  shouldReconnect: ({ opened, code }) => (wasOpen ||= opened) && code !== 1000,
});

client.on("inbox", ({ userId, username, role, notes: all, unread }) => {
  page("me").textContent = username;
  document.title = `${username} – Inbox`;
  page("announce").hidden = role !== "admin";
  const other = userId === "ada" ? "bob" : "ada";
  page("to").value ||= other;
  page("other").textContent = `?token=demo-${other}`;
  notes.clear();
  page("notes").replaceChildren();
  for (const note of all) show(note);
  count(unread);
});
client.on("inbox.changed", ({ note, unread }) => {
  show(note);
  count(unread);
});
// All tabs of this user hear it, whichever of them said it; without an id it is about all notes.
client.on("inbox.read", ({ id, unread }) => {
  for (const [known, { item, button }] of notes) {
    if (id !== undefined && known !== id) continue;
    item.classList.remove("new");
    button.hidden = true;
  }
  count(unread);
});
client.on("note.sent", ({ userId, devices }) => {
  page("text").value = "";
  say(devices > 0 ? `${userId} has it, on ${devices} ${devices === 1 ? "device" : "devices"}.` : `It waits for ${userId}.`);
});
client.on("announcement", ({ from, message }) => {
  page("banner").textContent = `${from} announces: ${message}`;
  page("banner").hidden = false;
});
client.on("error", ({ message }) => complain(`Not possible: ${message}`));
client.onState(({ state, delayMs, close }) => {
  const words = {
    open: "Connected",
    connecting: "Connecting…",
    waiting: `Connection lost, next try in ${Math.ceil((delayMs ?? 0) / 1000)} s`,
    closed: "Not connected",
  };
  page("state").textContent = words[state];
  page("state").dataset.kind = STATE_KINDS[state];
  if (state === "closed" && !close.opened && close.code === 1006) complain("Refused: the plugin does not know this token.");
  for (const button of document.querySelectorAll("button")) button.disabled = state !== "open";
});

page("send").addEventListener("click", () => {
  tell("note.send", { userId: page("to").value.trim(), text: page("text").value });
});
page("announce").addEventListener("click", () => {
  if (tell("announce", { message: page("text").value })) page("text").value = "";
});
page("read-all").addEventListener("click", () => tell("note.read"));

function tell(event, data) {
  say("");
  complain("");
  return client.state === "open" && client.emit(event, data);
}

// What others wrote is text here, never markup.
function show({ id, from, text, sentAt, read }) {
  const item = document.createElement("li");
  const [words, about] = [document.createElement("p"), document.createElement("p")];
  const button = document.createElement("button");
  words.textContent = text;
  about.className = "about";
  about.textContent = `${from}, ${new Date(sentAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}`;
  button.type = "button";
  button.className = "small";
  button.textContent = "Mark as read";
  button.hidden = read;
  button.addEventListener("click", () => tell("note.read", { id }));
  item.classList.toggle("new", !read);
  item.append(words, about, button);
  notes.set(id, { item, button });
  page("notes").prepend(item);
  page("none").hidden = true;
}

function count(unread) {
  page("unread").hidden = unread === 0;
  page("unread").textContent = `${unread} unread`;
  page("read-all").hidden = unread === 0;
}

function say(text) {
  page("sent").textContent = text;
}

function complain(text) {
  page("problem").textContent = text;
}

// The page of the chat plugin: one tab is one user. It shows what a page of a plugin looks like: the client of the
// host, events in, events out, and text that others wrote only ever as text.
//
// `parlor dev` serves it in a sandbox: no cookies, no storage, no forms, no popups. Everything here works without.
import { connect, offerClients } from "/_parlor/example-client.js";
import { People } from "./people.js";
import { Talk } from "./talk.js";

const TYPING_AGAIN_MS = 3_000; // while somebody types, the others are told this often
const TYPING_OVER_MS = 4_000; // after this much silence they are told that it is over

const NAME_MOST = 30; // characters; the plugin takes 128 bytes
const ROOM = /^[A-Za-z0-9._~-]{1,128}$/;
const NAMES = ["Otter", "Heron", "Lynx", "Finch", "Marten", "Robin", "Badger", "Swift", "Hare", "Wren"];

const page = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const me = query.get("user")?.trim().slice(0, NAME_MOST) || randomName();
const room = ROOM.exec(query.get("room") ?? "")?.[0] ?? "default";

const talk = new Talk(page("talk"), page("messages"), me);
const people = new People({ list: page("people"), count: page("count"), typing: page("typing") }, me);
const chat = connect("/ws", { room: room === "default" ? undefined : room, query: { userId: me } });
let wasConnected = false;

offerClients(page("client"), () => ({ user: me }));
page("me").textContent = me;
page("room").textContent = room;
document.title = `${me} – Chat`;

chat.on("welcome", (data) => people.all(data.users ?? [me]));
chat.on("user.join", ({ userId, users }) => {
  people.join(userId, users);
  if (userId !== me) talk.note(`${userId} joined`);
});
chat.on("user.leave", ({ userId, users }) => {
  if (people.leave(userId, users)) talk.note(`${userId} left`);
});
chat.on("chat.message", (data) => {
  people.typing(data.from, false);
  talk.message(data);
});
chat.on("user.typing", ({ userId, isTyping }) => people.typing(userId, isTyping));
chat.on("error", ({ message }) => complain(message));
chat.onState(showState);
showState({ state: chat.state });

function showState({ state, resumed, delayMs, close }) {
  const place = page("state");
  place.dataset.state = state;
  page("again").hidden = state !== "waiting";
  if (state === "open") {
    place.textContent = "Connected";
    if (wasConnected) talk.note(resumed ? "You are back." : "You are back. What was said meanwhile is not shown.");
    wasConnected = true;
    complain("");
    return;
  }
  if (state === "connecting") place.textContent = wasConnected ? "Reconnecting…" : "Connecting…";
  if (state === "waiting") {
    const what = close.opened ? "Connection lost" : "No connection";
    place.textContent = `${what}, next try in ${Math.ceil(delayMs / 1000)} s`;
  }
  if (state === "closed") place.textContent = `Closed${close.reason ? `: ${close.reason}` : ""}. Reload to join again.`;
  if (close?.opened) talk.note("The connection was lost.");
  page("send").disabled = state === "closed";
  // Who comes back in time was told of everybody; others are told anew.
  if (state === "closed") people.nobody();
}

function complain(text) {
  page("problem").hidden = text === "";
  page("problem").textContent = text;
}

function send() {
  const field = page("text");
  // An empty message goes out as well: the plugin refuses it, and its words are shown.
  if (!chat.emit("chat.message", { text: field.value })) {
    complain("Not sent: too many messages wait for the connection.");
    return;
  }
  complain(chat.state === "open" ? "" : "Your message goes out when the connection is back.");
  field.value = "";
  typing.stop();
  field.focus();
}

// Tells the others that this user types: at the first key, again while it goes on, and when it is over.
const typing = {
  toldAt: 0,
  timer: undefined,
  tell(isTyping) {
    if (chat.state === "open") chat.emit("user.typing", { isTyping });
  },
  key() {
    clearTimeout(this.timer);
    if (page("text").value === "") return this.stop();
    this.timer = setTimeout(() => this.stop(), TYPING_OVER_MS);
    if (Date.now() - this.toldAt < TYPING_AGAIN_MS) return;
    this.toldAt = Date.now();
    this.tell(true);
  },
  stop() {
    clearTimeout(this.timer);
    if (this.toldAt === 0) return;
    this.toldAt = 0;
    this.tell(false);
  },
};

page("send").addEventListener("click", send);
page("again").addEventListener("click", () => chat.retry());
page("text").addEventListener("input", () => {
  complain("");
  typing.key();
});
page("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});

function randomName() {
  return `${NAMES[Math.floor(Math.random() * NAMES.length)]}-${Math.floor(Math.random() * 900) + 100}`;
}

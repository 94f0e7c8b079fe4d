// The page of the presence plugin: who is online, with which status, and who types.
import { connect, offerClients } from "/_parlor/example-client.js";

const ENTRIES_MOST = 100;
const TYPING_OVER_MS = 2_000; // without a key for this long, the others are told that it is over
const TYPING_FADES_MS = 6_000; // that word can get lost with a connection

const page = (id) => document.getElementById(id);
const me = new URLSearchParams(location.search).get("user")?.trim().slice(0, 30) || "ana";
const users = new Map(); // user id -> { status, typing }
let ownTyping;

offerClients(page("client"));
page("me").textContent = me;
document.title = `${me} – Presence`;

const room = connect("/ws/presence", { query: { userId: me } });

room.on("presence.state", ({ users: all }) => {
  for (const { typing } of users.values()) clearTimeout(typing);
  users.clear();
  for (const { userId } of all) users.set(userId, { status: "online" });
  show();
});
room.on("presence.about", ({ statuses, typing }) => {
  for (const [userId, status] of Object.entries(statuses)) update({ userId, status });
  for (const userId of typing) showTyping(userId, true);
});
room.on("presence.join", ({ userId }) => {
  users.set(userId, { status: "online" });
  tell(`${userId} came online`);
  show();
});
room.on("presence.leave", ({ userId }) => {
  clearTimeout(users.get(userId)?.typing);
  users.delete(userId);
  tell(`${userId} went offline`);
  show();
});
room.on("presence.status", (data) => {
  update(data);
  tell(`${data.userId} is ${data.status}`);
});
room.on("presence.typing", ({ userId, isTyping }) => showTyping(userId, isTyping));
room.onState(({ state, delayMs, close }) => {
  const seconds = Math.ceil((delayMs ?? 0) / 1000);
  const words = {
    open: "Connected",
    connecting: "Connecting…",
    waiting: `${close?.opened ? "Connection lost" : "No connection"}, next try in ${seconds} s`,
    closed: "Closed; reload to come back",
  };
  page("state").textContent = words[state];
  page("state").dataset.kind = state === "open" ? "good" : "bad";
  page("status").disabled = state !== "open";
});

page("status").addEventListener("change", () => room.emit("presence.status", { status: page("status").value }));
page("text").addEventListener("input", () => {
  if (ownTyping === undefined) room.emit("presence.typing", { isTyping: true });
  clearTimeout(ownTyping);
  ownTyping = setTimeout(() => {
    ownTyping = undefined;
    room.emit("presence.typing", { isTyping: false });
  }, TYPING_OVER_MS);
});

function update({ userId, status }) {
  if (users.has(userId)) users.get(userId).status = status;
  show();
}

function showTyping(userId, isTyping) {
  const user = users.get(userId);
  if (!user) return;
  clearTimeout(user.typing);
  user.typing = isTyping ? setTimeout(() => showTyping(userId, false), TYPING_FADES_MS) : undefined;
  show();
}

// Names come from others: they are text here, never markup.
function show() {
  const own = users.get(me);
  if (own) page("status").value = own.status;
  page("online").replaceChildren(...[...users].sort(([a], [b]) => a.localeCompare(b)).map(([userId, user]) => {
    const item = document.createElement("li");
    const name = document.createElement("b");
    const about = document.createElement("span");
    item.dataset.status = user.status;
    name.textContent = userId === me ? `${userId} (you)` : userId;
    about.textContent = `${user.status}${user.typing === undefined ? "" : ", typing…"}`;
    item.append(name, about);
    return item;
  }));
}

function tell(text) {
  const entry = document.createElement("li");
  entry.textContent = `${new Date().toLocaleTimeString([], { hourCycle: "h23" })} ${text}`;
  page("log").prepend(entry);
  if (page("log").children.length > ENTRIES_MOST) page("log").lastElementChild.remove();
}

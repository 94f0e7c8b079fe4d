// The page of the alerts plugin: a user's alerts, on all of their devices, and a place to send one.
import { connect, offerClients, showState } from "/_parlor/example-client.js";

const page = (id) => document.getElementById(id);
const user = new URLSearchParams(location.search).get("user") ?? "ada";
const items = new Map(); // id -> { item, button }

offerClients(page("client"), () => ({ user }));
const client = connect("/ws/alerts", { query: { user }, shouldReconnect: ({ opened }) => opened });

client.on("alerts", ({ user: own, alerts, unread }) => {
  page("me").textContent = own;
  page("to").value ||= own === "ada" ? "bob" : "ada";
  items.clear();
  page("alerts").replaceChildren();
  alerts.toReversed().forEach(show);
  count(unread);
});
client.on("alert.new", ({ alert, unread }) => {
  show(alert);
  count(unread);
});
// Without an id it is about all of them.
client.on("alert.read", ({ id, unread }) => {
  for (const [known, { item, button }] of items) {
    if (id !== undefined && known !== id) continue;
    item.classList.remove("new");
    button.hidden = true;
  }
  count(unread);
});
client.on("devices", ({ devices }) => {
  page("devices").textContent = devices === 1 ? "You are here on one device." : `You are here on ${devices} devices.`;
});
client.on("alert.sent", ({ user: to, devices }) => {
  page("title").value = "";
  page("problem").textContent = "";
  page("sent").textContent = devices === 0 ? `It waits for ${to}.` : `${to} has it, on ${devices} ${devices === 1 ? "device" : "devices"}.`;
});
client.on("refused", ({ why }) => (page("problem").textContent = `Not sent: ${why}.`));
showState(client, page("state"), page("problem"), "Refused: the room does not take this name.");

page("send").addEventListener("click", send);
page("title").addEventListener("keydown", ({ key }) => key === "Enter" && send());
page("read-all").addEventListener("click", () => client.emit("alert.read", {}));

function send() {
  page("sent").textContent = "";
  if (client.state !== "open") return;
  client.emit("alert", { user: page("to").value.trim(), title: page("title").value, level: page("level").value });
}

// What others wrote is text here, never markup.
function show({ id, level, title, from, sentAt, read }) {
  const item = document.createElement("li");
  const [words, about, button] = ["p", "p", "button"].map((tag) => document.createElement(tag));
  words.textContent = title;
  about.textContent = `${level === "warning" ? "Warning from" : "From"} ${from}, ${new Date(sentAt).toLocaleTimeString([], { timeStyle: "short" })}`;
  about.className = "hint";
  button.type = "button";
  button.className = "small";
  button.textContent = "Mark as read";
  button.hidden = read;
  button.addEventListener("click", () => client.emit("alert.read", { id }));
  item.dataset.level = level;
  item.classList.toggle("new", !read);
  item.append(words, about, button);
  items.set(id, { item, button });
  page("alerts").prepend(item);
  page("none").hidden = true;
}

function count(unread) {
  page("unread").hidden = unread === 0;
  page("unread").textContent = `${unread} unread`;
  page("read-all").hidden = unread === 0;
}

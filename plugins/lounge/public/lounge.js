// The page of the lounge plugin: a chat whose users may only say so much at a time.
import { connect, offerClients, showState } from "/_parlor/example-client.js";

const page = (id) => document.getElementById(id);
const name = new URLSearchParams(location.search).get("name") ?? `Guest ${1 + Math.floor(Math.random() * 999)}`;
let typing;

offerClients(page("client"), () => ({ name }));
const client = connect("/ws/lounge", { query: { name }, shouldReconnect: ({ opened }) => opened });

client.on("lounge", ({ you, lines, names }) => {
  page("me").textContent = you;
  page("lines").replaceChildren();
  lines.forEach(show);
  tell(names);
});
client.on("names", ({ names }) => tell(names));
client.on("line", (line) => {
  show(line);
  page("typing").textContent = "";
  page("problem").textContent = "";
  if (line.from === page("me").textContent) page("text").value = "";
});
client.on("typing", ({ name: other }) => {
  page("typing").textContent = `${other} is typing…`;
  clearTimeout(typing);
  typing = setTimeout(() => (page("typing").textContent = ""), 3_000);
});
client.on("refused", ({ why, waitMs }) => {
  page("problem").textContent = waitMs === undefined ? `Not said: ${why}.` : `Not said: ${why} (${Math.ceil(waitMs / 1000)} s).`;
});
showState(client, page("state"), page("problem"), "Refused: the room does not take this name.");

page("send").addEventListener("click", say);
page("text").addEventListener("keydown", ({ key }) => key === "Enter" && say());
let told = 0;
page("text").addEventListener("input", () => {
  if (Date.now() - told < 1_000 || client.state !== "open") return;
  told = Date.now();
  client.emit("typing");
});

function say() {
  if (client.state === "open") client.emit("say", { text: page("text").value });
}

// What others wrote is text here, never markup.
function show({ from, text, sentAt }) {
  const item = document.createElement("li");
  const [who, words, when] = ["b", "span", "time"].map((tag) => document.createElement(tag));
  who.textContent = from;
  words.textContent = text;
  when.textContent = new Date(sentAt).toLocaleTimeString([], { timeStyle: "short" });
  item.append(who, words, when);
  page("lines").append(item);
  item.scrollIntoView({ block: "nearest" });
}

function tell(names) {
  page("names").textContent = `Here: ${names.join(", ")}`;
}

// The page of the desks plugin: who is at their desk, and how they are.
import { connect, offerClients, showState } from "/_parlor/example-client.js";

const page = (id) => document.getElementById(id);
const user = new URLSearchParams(location.search).get("user") ?? "ada";
const WORDS = { here: "Here", away: "Away", busy: "Busy" };

offerClients(page("client"), () => ({ user }));
const client = connect("/ws/desks", { query: { user }, shouldReconnect: ({ opened }) => opened });

client.on("welcome", ({ user: own, device }) => (page("me").textContent = `${own}, on a ${device}`));
client.on("desks", ({ users }) => {
  page("problem").textContent = "";
  page("desks").replaceChildren(...users.map(desk));
  const own = users.find((one) => one.user === user);
  if (own !== undefined) page("status").value = own.status;
});
client.on("refused", ({ why }) => (page("problem").textContent = `Not told: ${why}.`));
showState(client, page("state"), page("problem"), "Refused: the room does not take this name.");

page("tell").addEventListener("click", tell);
page("status").addEventListener("change", tell);
page("note").addEventListener("keydown", ({ key }) => key === "Enter" && tell());

function tell() {
  if (client.state === "open") client.emit("status", { status: page("status").value, note: page("note").value });
}

// What others wrote is text here, never markup.
function desk({ user: who, status, note, devices }) {
  const item = document.createElement("li");
  item.dataset.status = status;
  const [name, mood, about] = ["b", "span", "p"].map((tag) => document.createElement(tag));
  name.textContent = who;
  mood.textContent = WORDS[status];
  mood.className = "mood";
  about.textContent = [note, devices.join(" and ")].filter((words) => words !== "").join(" · ");
  about.className = "hint";
  item.append(name, mood, about);
  return item;
}

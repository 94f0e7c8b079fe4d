// The page of the counter: shows the number, and adds to it.
import { connect, offerClients } from "/_parlor/example-client.js";

const page = (id) => document.getElementById(id);

offerClients(page("client"));

const room = connect("/counter");

room.on("count", (count) => {
  // A value that is no object comes as the member `data`.
  page("count").textContent = count?.data ?? count;
});
room.onState(({ state, delayMs }) => {
  const words = {
    open: "Connected",
    connecting: "Connecting…",
    waiting: `No connection, next try in ${Math.ceil((delayMs ?? 0) / 1000)} s`,
    closed: "Closed; reload to come back",
  };
  page("state").textContent = words[state];
  page("state").dataset.kind = state === "open" ? "good" : "bad";
  page("add").disabled = state !== "open";
});
page("add").addEventListener("click", () => room.send("add"));

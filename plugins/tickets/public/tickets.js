// The page of the tickets plugin: one tab is one user. What a seat is, the room alone says: nothing changes here before the
// room has said so, and so nothing here can be wrong for longer than a connection is lost.
import { connect, offerClients } from "/_parlor/example-client.js";
import { Hall } from "./hall.js";
import { Own } from "./own.js";

const ENTRIES_MOST = 100;
const NAME_MOST = 15; // characters; the plugin takes 64 bytes
const ROOM = /^[A-Za-z0-9._~-]{1,128}$/;
const NAMES = ["Aria", "Bruno", "Clara", "Dario", "Elsa", "Felix", "Greta", "Hugo", "Iris", "Jonas"];

const page = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const me = query.get("user")?.trim().slice(0, NAME_MOST) || randomName();
const show = ROOM.exec(query.get("room") ?? "")?.[0];

offerClients(page("client"), () => ({ user: me }));
page("me").textContent = me;
document.title = `${me} – Tickets`;

const room = connect("/ws/tickets", { room: show, query: { userId: me } });
const hall = new Hall(page("hall"), me, choose);
const own = new Own({ list: page("own"), none: page("none"), reminder: page("reminder") }, ask);

room.on("seats.list", ({ seats, seatsPerRow, now }) => {
  hall.fill(seats, seatsPerRow);
  own.fill(seats.filter(({ userId }) => userId === me), now);
});
room.on("seat.changed", (seat) => {
  const before = hall.seat(seat.seat);
  hall.change(seat);
  own.change(seat, seat.userId === me);
  if (before?.state !== seat.state || before?.userId !== seat.userId) tell(changeWords(seat, before));
});
room.on("seat.bought", ({ seat, confirmation }) => {
  own.bought(seat, confirmation);
  complain("");
});
room.on("seat.closing", ({ seat, until, now }) => own.remind(seat, until, now));
room.on("error", ({ message }) => {
  complain(`Not possible: ${message}`);
  tell(`not possible: ${message}`);
});
room.onState(({ state, delayMs, close }) => {
  const seconds = Math.ceil((delayMs ?? 0) / 1000);
  const words = {
    open: "Connected",
    connecting: "Connecting…",
    waiting: `${close?.opened ? "Connection lost" : "No connection"}, next try in ${seconds} s`,
    closed: `Closed${close?.reason ? `: ${close.reason}` : ""}; reload to come back`,
  };
  page("state").textContent = words[state];
  page("state").dataset.kind = state === "open" ? "good" : "bad";
  // A wish that waited for the connection would come true when nobody wants it any more.
  hall.enable(state === "open");
  own.enable(state === "open");
});

function choose(name, kind, seat) {
  if (kind === "free") return ask("seat.hold", name);
  if (kind === "mine") return own.focus(name);
  complain({
    bought: `${name} is yours already`,
    held: `${name} is held by ${seat.userId}: it may become free`,
    sold: `${name} is sold`,
  }[kind]);
}

function ask(event, seat) {
  complain(room.state === "open" && room.emit(event, { seat }) ? "" : "Not sent: there is no connection");
}

function complain(text) {
  page("problem").textContent = text;
}

function changeWords({ seat, state, userId }, before) {
  const who = userId === me ? "you" : userId;
  if (state === "held") return `${seat} is held by ${who}`;
  if (state === "sold") return `${seat} is sold to ${who}`;
  return before?.userId === me ? `${seat} is not yours any more` : `${seat} is free again`;
}

// Names come from others: they are text here, never markup.
function tell(text) {
  const entry = document.createElement("li");
  entry.textContent = `${new Date().toLocaleTimeString([], { hourCycle: "h23" })} ${text}`;
  page("log").prepend(entry);
  if (page("log").children.length > ENTRIES_MOST) page("log").lastElementChild.remove();
}

function randomName() {
  return `${NAMES[Math.floor(Math.random() * NAMES.length)]}-${Math.floor(Math.random() * 900) + 100}`;
}

// The page of the whiteboard plugin. What is on the board, the room alone says; a line that the room has not confirmed yet is
// shown wet, and told again after a lost connection where the room does not know it.
import { connect, offerClients } from "/_parlor/example-client.js";
import { People } from "./people.js";
import { Pen } from "./pen.js";
import { Surface } from "./surface.js";
import { clickTwice, offerPens } from "./tools.js";

const NAME_MOST = 24;
const ROOM = /^[A-Za-z0-9._~-]{1,128}$/;
const NAMES = ["Aria", "Bruno", "Clara", "Dario", "Elsa", "Felix", "Greta", "Hugo", "Iris", "Jonas"];
const WET_MS = 15_000; // of another's line that neither grows nor is finished: its end got lost

const page = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const me = query.get("name")?.trim().slice(0, NAME_MOST) || randomName();

const surface = new Surface(page("paper"), page("wet"));
const people = new People(page("people"), page("cursors"), surface);
const pending = new Map(); // id -> a finished line of ours that the room has not confirmed
const others = new Map(); // id -> the timer of another's wet line
const undone = new Set(); // numbers whose removal was asked for
let loaded = false;

// The board is loaded anew over each line, and what was drawn meanwhile is sent behind that.
const options = { room: ROOM.exec(query.get("room") ?? "")?.[0], query: { name: me }, resume: false };
const room = connect("/ws/whiteboard", options);
const pen = new Pen(page("board"), surface, {
  grown: (part) => tell("stroke.draw", part),
  moved: (point) => tell("cursor.move", point),
  left: () => tell("cursor.leave"),
  finished(line) {
    pending.set(line.id, line);
    if (loaded) tell("stroke.add", line);
    complain("");
    refresh();
  },
});
offerClients(page("client"), () => ({ name: me }));
offerPens(page("colors"), page("widths"), pen);
document.title = `${me} – Whiteboard`;

room.on("board", ({ size, limits, cursors }) => {
  loaded = false;
  [surface.size, pen.pointsMost] = [size, limits.points];
  undone.clear();
  surface.clear();
  people.leaveAll();
  for (const cursor of cursors) people.move(cursor);
  tell("board.page", { after: 0 });
});
room.on("board.page", ({ strokes, next }) => {
  for (const stroke of strokes) keep(stroke);
  if (next !== undefined) return tell("board.page", { after: next });
  loaded = true;
  for (const line of pending.values()) tell("stroke.add", line);
  refresh();
});
room.on("stroke.drawn", ({ userId, clientId, ...line }) => {
  surface.wet(line);
  clearTimeout(others.get(line.id));
  others.set(line.id, setTimeout(() => dry(line.id), WET_MS));
  people.move({ userId, clientId, x: line.points.at(-2), y: line.points.at(-1) });
  page("invitation").hidden = true;
});
room.on("stroke.added", (stroke) => {
  keep(stroke);
  refresh();
});
room.on("stroke.removed", ({ number }) => {
  surface.remove(number);
  refresh();
});
room.on("board.cleared", () => {
  surface.clear();
  refresh();
});
room.on("people", ({ userIds }) => people.show(userIds, me));
room.on("cursor.moved", (cursor) => people.move(cursor));
room.on("cursor.left", ({ clientId }) => people.leave(clientId));
room.on("error", ({ code, message }) => {
  complain(`Not possible: ${message}`);
  // What was refused once is refused again.
  if (code !== "stroke.invalid" && code !== "board.full") return;
  for (const id of pending.keys()) surface.dry(id);
  pending.clear();
  refresh();
});
room.onState(({ state, delayMs, close }) => {
  const seconds = Math.ceil((delayMs ?? 0) / 1000);
  const words = {
    open: "Connected",
    connecting: "Connecting…",
    waiting: `${close?.opened ? close.reason || "Connection lost" : "No connection"}, next try in ${seconds} s`,
    closed: "Closed; reload to come back",
  };
  page("state").textContent = words[state];
  page("state").dataset.kind = state === "open" ? "good" : "bad";
  if (state !== "open") loaded = false;
  refresh();
});

page("undo").addEventListener("click", undo);
document.addEventListener("keydown", (event) => {
  if (event.key !== "z" || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  undo();
});
clickTwice(page("clear"), () => tell("board.clear"));

function keep(stroke) {
  pending.delete(stroke.id);
  dry(stroke.id);
  surface.add(stroke);
}

function dry(id) {
  clearTimeout(others.get(id));
  others.delete(id);
  surface.dry(id);
}

function own() {
  return surface.strokes(({ by, number }) => by === me && !undone.has(number));
}

function undo() {
  const last = own().at(-1);
  if (!loaded || !last) return;
  undone.add(last.number);
  tell("stroke.remove", { number: last.number });
  refresh();
}

// What waited in the client's queue would come true in an order of its own: the board is loaded first.
function tell(event, data) {
  return room.state === "open" && room.emit(event, data);
}

function refresh() {
  page("undo").disabled = !loaded || own().length === 0;
  page("clear").disabled = !loaded;
  page("invitation").hidden = !loaded || !surface.isEmpty;
}

function randomName() {
  return `${NAMES[Math.floor(Math.random() * NAMES.length)]} ${Math.floor(Math.random() * 90) + 10}`;
}

function complain(text) {
  page("problem").textContent = text;
}

// The page of the arena: draws the field as the last ticks had it, and tells the room where to steer.
import { connect, offerClients } from "/_parlor/example-client.js";

const TICK_MS = 50;
const RADIUS = 14;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const page = (id) => document.getElementById(id);
const canvas = page("field");
const paint = canvas.getContext("2d");
const query = new URLSearchParams(location.search);
const me = query.get("user")?.trim().slice(0, 30) || "ana";
const pressed = new Set();
let players = new Map(); // id -> { x, y, score, fromX, fromY }
let coins = [];
let came = 0; // when the last tick came
let steered = "0 0";

offerClients(page("client"));
document.title = `${me} – Arena`;

const room = connect("/arena", { room: query.get("room") || undefined, query: { userId: me } });

room.on("arena.welcome", ({ best, ...field }) => {
  page("best").textContent = best;
  players = new Map();
  take(field);
});
room.on("arena.tick", take);
room.onState(({ state, delayMs }) => {
  const words = {
    open: "Connected",
    connecting: "Connecting…",
    waiting: `No connection, next try in ${Math.ceil((delayMs ?? 0) / 1000)} s`,
    closed: "Closed; reload to come back",
  };
  page("state").textContent = words[state];
  page("state").dataset.kind = state === "open" ? "good" : "bad";
  steered = "0 0";
});

addEventListener("keydown", (event) => {
  if (!KEYS[event.key]) return;
  event.preventDefault();
  pressed.add(event.key);
  steerByKeys();
});
addEventListener("keyup", (event) => {
  if (pressed.delete(event.key)) steerByKeys();
});
canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
canvas.addEventListener("pointermove", (event) => {
  const own = players.get(me);
  if (!own || event.buttons === 0) return;
  const box = canvas.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * canvas.width - own.x;
  const y = ((event.clientY - box.top) / box.height) * canvas.height - own.y;
  const length = Math.hypot(x, y);
  steer(length < RADIUS ? [0, 0] : [x / length, y / length]);
});
canvas.addEventListener("pointerup", () => steer([0, 0]));

function steerByKeys() {
  const sum = [...pressed].map((key) => KEYS[key]).reduce(([x, y], [dx, dy]) => [x + dx, y + dy], [0, 0]);
  steer(sum);
}

function steer([x, y]) {
  const words = `${x.toFixed(2)} ${y.toFixed(2)}`;
  if (words === steered) return;
  steered = words;
  room.emit("arena.steer", { x, y });
}

function take(field) {
  const before = players;
  players = new Map(field.players.map((player) => {
    const old = before.get(player.id) ?? player;
    return [player.id, { ...player, fromX: old.x, fromY: old.y }];
  }));
  coins = field.coins;
  came = performance.now();
  showScores();
}

// Names come from others: they are text here, never markup.
function showScores() {
  const sorted = [...players.values()].sort((a, b) => b.score - a.score || a.id.localeCompare(b.id));
  page("scores").replaceChildren(...sorted.map(({ id, score }) => {
    const item = document.createElement("li");
    item.textContent = `${id === me ? `${id} (you)` : id}: ${score}`;
    item.style.setProperty("--ball", colour(id));
    return item;
  }));
}

function colour(id) {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + char.codePointAt(0)) % 360;
  return `hsl(${hash} 70% 50%)`;
}

function disc(x, y, radius, fill) {
  paint.beginPath();
  paint.arc(x, y, radius, 0, 2 * Math.PI);
  paint.fillStyle = fill;
  paint.fill();
}

// Between two ticks a ball is drawn on its way from where it was to where it is.
function draw(now) {
  const share = Math.min((now - came) / TICK_MS, 1);
  const soft = getComputedStyle(canvas).color;
  paint.clearRect(0, 0, canvas.width, canvas.height);
  for (const [x, y] of coins) disc(x, y, RADIUS / 2, "gold");
  for (const { id, x, y, fromX, fromY } of players.values()) {
    const [atX, atY] = [fromX + (x - fromX) * share, fromY + (y - fromY) * share];
    disc(atX, atY, RADIUS, colour(id));
    paint.fillStyle = soft;
    paint.textAlign = "center";
    paint.fillText(id, atX, atY - RADIUS - 4);
  }
  requestAnimationFrame(draw);
}
requestAnimationFrame(draw);

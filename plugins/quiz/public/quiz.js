// The page of the quiz plugin: the open question, your answer, and the scores.
import { connect, offerClients } from "/_parlor/example-client.js";

const page = (id) => document.getElementById(id);
const me = new URLSearchParams(location.search).get("user")?.trim().slice(0, 30) || "ana";
const here = new URLSearchParams(location.search).get("room") || "default";
let ends; // when the open question ends, in milliseconds of this page's clock

offerClients(page("client"));
document.title = `${me} – Quiz`;

const room = connect("/ws/quiz", { room: here, query: { userId: me } });

room.on("welcome", ({ scores }) => {
  nothingRuns();
  showScores(scores);
});
room.on("quiz.question", (question) => {
  ends = Date.now() + question.ends - question.now;
  page("start").hidden = true;
  page("place").textContent = `Question ${question.number} of ${question.of}`;
  page("question").textContent = question.text;
  page("words").textContent = "";
  page("choices").replaceChildren(...question.choices.map((text, choice) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.ariaPressed = "false";
    button.addEventListener("click", () => answer(button, choice));
    return button;
  }));
});
room.on("quiz.answered", ({ userId }) => {
  if (userId !== me) page("words").textContent = `${userId} has answered`;
});
room.on("quiz.result", ({ right, points, scores }) => {
  ends = undefined;
  for (const [choice, button] of [...page("choices").children].entries()) {
    button.disabled = true;
    button.dataset.right = choice === right;
  }
  const gained = points[me] ?? 0;
  page("words").textContent = gained === 0 ? "No point this time" : gained === 1 ? "Right: a point" : "First and right: two points";
  showScores(scores);
});
room.on("quiz.over", ({ scores }) => {
  nothingRuns();
  const best = scores[0];
  page("words").textContent = best === undefined ? "Over, and nobody knew anything" : `Over: ${best.userId} is first`;
  showScores(scores);
});
room.on("error", ({ message }) => {
  page("words").textContent = message;
});
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
  page("start").disabled = state !== "open";
});

page("start").addEventListener("click", () => room.emit("quiz.start", {}));

setInterval(() => {
  if (ends === undefined) return;
  const left = Math.max(0, Math.ceil((ends - Date.now()) / 1000));
  page("place").textContent = `${page("place").textContent.split(" · ")[0]} · ${left} s left`;
}, 500);

function answer(button, choice) {
  room.emit("quiz.answer", { choice });
  button.ariaPressed = "true";
  for (const other of page("choices").children) other.disabled = true;
}

function nothingRuns() {
  ends = undefined;
  page("place").textContent = `You are ${me}`;
  page("question").textContent = "No quiz is running";
  page("choices").replaceChildren();
  page("start").hidden = false;
}

// Names come from others: they are text here, never markup.
function showScores(scores) {
  page("scores").replaceChildren(...scores.map(({ userId, points }) => {
    const item = document.createElement("li");
    const name = document.createElement("b");
    name.textContent = userId === me ? `${userId} (you)` : userId;
    item.append(name, `${points}`);
    return item;
  }));
}

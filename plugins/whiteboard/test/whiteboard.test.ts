/** What those who draw can rely on. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom, type TestSocket } from "@parlor/guest/testing";

const COUNTS = "counts";

/** A socket that has heard what one hears on connecting. */
function join(room: TestRoom, name: string): TestSocket {
  const socket = room.connect(`/ws/whiteboard?name=${encodeURIComponent(name)}`);
  socket.received();
  return socket;
}

/** Two people at one board, who know of each other. */
function anaAndBen() {
  const room = new TestRoom();
  const [ana, ben] = [join(room, "Ana"), join(room, "Ben")];
  ana.received();
  return { room, ana, ben };
}

function line(id: string, points: number[] = [1, 2, 3, 4]) {
  return { id, color: "#1a2b3c", width: 8, points };
}

/** All that is on the board, as a page loads it. */
function load(socket: TestSocket): any[] {
  const strokes: any[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    socket.send("board.page", { after });
    const [page] = socket.events();
    assert.equal(page.type, "board.page", JSON.stringify(page));
    strokes.push(...page.strokes);
    after = page.next;
  }
  return strokes;
}

test("a name opens the door, and nothing else does", () => {
  const room = new TestRoom();
  for (const query of ["", "?name=", "?name=%20", `?name=${"x".repeat(25)}`, "?name=a%00b"]) {
    assert.throws(() => room.connect(`/ws/whiteboard${query}`), { status: 400 }, query);
  }
  const [board, people] = room.connect("/ws/whiteboard?name=%20Ana%20").events();
  assert.equal(board.userId, "Ana");
  assert.deepEqual(board.size, { width: 2400, height: 1800 });
  assert.deepEqual(people, { type: "people", userIds: ["Ana"] });
});

test("everybody is told who is there", () => {
  const room = new TestRoom();
  const ana = join(room, "Ana");
  const ben = join(room, "Ben");
  const phone = join(room, "Ben");
  phone.close();
  ben.close();
  const lists = ana.events().filter(({ type }) => type === "people").map(({ userIds }) => userIds.join());
  assert.deepEqual(lists, ["Ana,Ben", "Ana,Ben", "Ana,Ben", "Ana"]);
});

test("who comes to a crowded board is asked to come later", () => {
  const room = new TestRoom();
  for (let number = 1; number <= 50; number += 1) join(room, `person ${number}`);
  assert.equal(room.connect("/ws/whiteboard?name=late").closed()?.code, 1013);
  assert.equal(room.sessionCount, 50);
});

test("a stroke is kept, and everybody sees it with its number", () => {
  const { room, ana, ben } = anaAndBen();
  ana.send("stroke.add", line("a"));
  ben.send("stroke.add", line("b", [5, 5]));
  const [one, two] = [{ number: 1, by: "Ana", ...line("a") }, { number: 2, by: "Ben", ...line("b", [5, 5]) }];
  for (const socket of [ana, ben]) {
    assert.deepEqual(socket.events(), [{ type: "stroke.added", ...one }, { type: "stroke.added", ...two }]);
  }
  room.restart();
  assert.deepEqual(load(join(room, "Cleo")), [one, two]);
});

test("what is no stroke is refused", () => {
  const { room, ana } = anaAndBen();
  const wrong = [
    undefined, null, "line", line(""), line("x".repeat(41)), { ...line("a"), color: "red" }, { ...line("a"), color: "#1A2B3C" },
    { ...line("a"), width: 0 }, { ...line("a"), width: 101 }, { ...line("a"), width: 1.5 }, line("a", []), line("a", [1]), line("a", [1, 2, 3]),
    line("a", [2401, 1]), line("a", [1, 1801]), line("a", [-1, 1]), line("a", [0.5, 1]), line("a", Array(1002).fill(1)),
    { ...line("a"), points: ["1", "2"] }, { ...line("a"), points: "12" },
  ];
  for (const data of wrong) ana.send("stroke.add", data);
  assert.deepEqual(ana.events().map(({ code }) => code), wrong.map(() => "stroke.invalid"));
  assert.deepEqual(room.storedKeys, []);
  ana.send("stroke.draw", line("a", Array(202).fill(1)));
  assert.equal(ana.events()[0].code, "stroke.invalid");
});

test("fields that are none of a stroke's are not kept", () => {
  const { ana } = anaAndBen();
  ana.send("stroke.add", { ...line("a"), number: 7, by: "Ben", more: "x".repeat(1000) });
  assert.deepEqual(load(join(new TestRoom(), "Cleo")), []);
  assert.deepEqual(ana.events(), [{ type: "stroke.added", number: 1, by: "Ana", ...line("a") }]);
});

test("one takes back strokes of one's own, and no others", () => {
  const { room, ana, ben } = anaAndBen();
  ana.send("stroke.add", line("a"));
  for (const socket of [ana, ben]) socket.events();
  ben.send("stroke.remove", { number: 1 });
  assert.equal(ben.events()[0].code, "stroke.not-yours");
  ana.send("stroke.remove", { number: 1 });
  ana.send("stroke.remove", { number: 1 });
  for (const socket of [ana, ben]) assert.deepEqual(socket.events(), [{ type: "stroke.removed", number: 1, userId: "Ana" }]);
  assert.deepEqual(room.storedKeys, [COUNTS]);
  assert.equal(room.stored(COUNTS).strokes, 0);
});

test("a long board is loaded in pages that fit into an emit", () => {
  const { room, ana, ben } = anaAndBen();
  const longest = Array.from({ length: 1000 }, (_, at) => (at % 2 === 0 ? 2400 : 1800));
  for (let number = 1; number <= 30; number += 1) ana.send("stroke.add", line(`${number}`.padStart(40, "ü"), longest));
  for (let number = 1; number <= 200; number += 1) ana.send("stroke.add", line(`short ${number}`));
  ben.events();
  assert.deepEqual(load(ben).map(({ number }) => number), Array.from({ length: 230 }, (_, at) => at + 1));
  assert.deepEqual(room.failures(), []);
});

test("a board that is full takes no more, until something goes", () => {
  const { room, ana } = anaAndBen();
  ana.send("stroke.add", line("a"));
  for (let number = 2; number <= 2_000; number += 1) ana.send("stroke.add", line("a"));
  ana.events();
  ana.send("stroke.add", line("b"));
  assert.equal(ana.events()[0].code, "board.full");
  ana.send("stroke.remove", { number: 5 });
  ana.send("stroke.add", line("b"));
  assert.deepEqual(ana.events().map(({ type }) => type), ["stroke.removed", "stroke.added"]);
  assert.equal(room.stored(COUNTS).strokes, 2_000);
});

test("a board is cleared at once, and swept in the room's alarm", () => {
  const { room, ana, ben } = anaAndBen();
  for (let number = 1; number <= 1_500; number += 1) ana.send("stroke.add", line("a"));
  for (const socket of [ana, ben]) socket.events();
  ben.send("board.clear");
  ana.send("stroke.add", line("after"));
  assert.deepEqual(ana.events().map(({ type }) => type), ["board.cleared", "stroke.added"]);
  ana.send("stroke.remove", { number: 3 });
  assert.deepEqual(ana.events(), [], "what was cleared is gone, also where it is stored yet");
  assert.deepEqual(load(ana).map(({ id }) => id), ["after"]);
  assert.equal(room.storedKeys.length, 1 + 1_501);
  room.restart();
  room.advance(0);
  assert.deepEqual(room.storedKeys, [COUNTS, "stroke/000000001501"]);
  assert.equal(room.alarm(), undefined);
});

test("an empty board is cleared without an alarm", () => {
  const { room, ana } = anaAndBen();
  ana.send("board.clear");
  assert.equal(room.alarm(), undefined);
});

test("the others see where one points and what one draws, before it is kept", () => {
  const { room, ana, ben } = anaAndBen();
  const clientId = ana.meta.clientId;
  ana.send("cursor.move", { x: 10, y: 20 });
  ana.send("stroke.draw", line("a", [10, 20, 30, 40]));
  assert.deepEqual(ben.events(), [
    { type: "cursor.moved", userId: "Ana", clientId, x: 10, y: 20 },
    { type: "stroke.drawn", userId: "Ana", clientId, ...line("a", [10, 20, 30, 40]) },
  ]);
  assert.deepEqual(ana.events(), []);
  assert.deepEqual(room.storedKeys, []);
  const cursors = () => room.connect("/ws/whiteboard?name=Cleo").events()[0].cursors;
  assert.deepEqual(cursors(), [{ userId: "Ana", clientId, x: 30, y: 40 }]);
  ana.close();
  assert.ok(ben.events().some(({ type, clientId: who }) => type === "cursor.left" && who === clientId));
  assert.deepEqual(cursors(), []);
});

test("a point beside the board is none", () => {
  const { ana } = anaAndBen();
  for (const data of [undefined, { x: 1 }, { x: -1, y: 1 }, { x: 1, y: 1801 }, { x: "1", y: 1 }]) ana.send("cursor.move", data);
  assert.deepEqual(ana.events().map(({ code }) => code), Array(5).fill("cursor.invalid"));
});

test("cursors stay where they are while the room sleeps and when it is swapped; a crash forgets them", () => {
  const { room, ana } = anaAndBen();
  ana.send("cursor.move", { x: 10, y: 20 });
  const seen = () => room.connect("/ws/whiteboard?name=Cleo").events()[0].cursors.length;
  room.sleep();
  assert.equal(seen(), 1);
  room.swap();
  assert.equal(seen(), 1);
  room.restore("crash");
  assert.equal(seen(), 0);
});

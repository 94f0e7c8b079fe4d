/** What a room by Verani's API can rely on beside handlers and emits, in a test room. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom, type TestSocket } from "@parlor/guest/testing";

function meeting() {
  const room = new TestRoom({ entry: "test/rooms/verani.ts" });
  const [ana, bo] = [room.connect("/ws?user=ana&client=a1"), room.connect("/ws?user=bo&client=b1")];
  for (const socket of [ana, bo]) socket.received();
  return { room, ana, bo };
}

/** The events that a socket hears of what it sends. */
function heard(socket: TestSocket, event: string, ...data: unknown[]) {
  socket.send(event, ...data);
  return socket.events();
}

test("a socket is sent text as an event, and is in its room when it connects", () => {
  const room = new TestRoom({ entry: "test/rooms/verani.ts" });
  assert.deepEqual(room.connect("/ws").events(), [{ type: "welcome", sessions: 1 }]);
});

test("a meta that is written to is kept, and others see it", () => {
  const { room, ana, bo } = meeting();
  assert.deepEqual(heard(ana, "status", "away"), []);
  assert.deepEqual(bo.events(), [{ type: "status", who: "ana", status: "away" }]);
  assert.deepEqual([ana.meta.status, ana.meta.seen], ["away", { count: 1 }]);
  const meta = { status: "away", seen: { count: 1 }, userId: "ana", clientId: "a1", channels: ["default"] };
  assert.deepEqual(heard(ana, "show"), [{ type: "shown", meta, same: true, open: true }]);
  for (const reason of ["crash", "wake", "swap"]) {
    room.restore(reason);
    assert.deepEqual(heard(ana, "show").at(-1), { type: "shown", meta, same: true, open: true });
  }
});

test("a failed turn takes back what it wrote to a meta", () => {
  const { room, ana } = meeting();
  const failed = [{ type: "failed", message: "the cat ate it", status: "online" }, { type: "sorry" }];
  assert.deepEqual(heard(ana, "fail"), failed);
  assert.deepEqual([ana.meta.status, ana.meta.channels], ["online", ["default"]]);
  assert.match(heard(ana, "fail", "id")[0].message, /a write to the meta does not change userId: it stays as/);
  assert.equal(heard(ana, "show")[0].meta.status, "online");
  assert.match(heard(ana, "large")[0].message, /meta-fields-bytes/);
  assert.deepEqual(room.failures().map((failure) => failure.code), ["error", "invalid", "limit-exceeded"]);
});

test("channels of a meta are channels", () => {
  const { ana, bo } = meeting();
  assert.deepEqual(heard(ana, "tune", "jazz"), [{ type: "tuning", channel: "jazz" }, { type: "tuned", sent: 1 }]);
  assert.deepEqual(heard(bo, "tune", "jazz").at(-1), { type: "tuned", sent: 2 });
  assert.deepEqual(ana.events(), [{ type: "tuning", channel: "jazz" }]);
  assert.deepEqual(heard(ana, "tune", "jazz"), [{ type: "tuned", sent: 1 }]);
  heard(ana, "retune", ["blues", "default"]);
  assert.deepEqual([ana.meta.channels, ana.meta.status], [["default", "blues"], "tuned"]);
});

test("a broadcast reaches whom its options name, and says how many", () => {
  const { room, ana, bo } = meeting();
  const second = room.connect("/ws?user=bo&client=b2");
  const sent = (options: object) => heard(ana, "some", options).at(-1);
  const rest = { none: 0, all: 2, stale: 0 };
  assert.deepEqual(sent({}), { type: "sent", sent: 2, ...rest });
  assert.deepEqual(sent({ users: ["bo", "nobody"] }), { type: "sent", sent: 2, ...rest });
  assert.deepEqual(sent({ clients: ["b2", "a1"] }), { type: "sent", sent: 1, ...rest });
  assert.deepEqual(sent({ users: ["ana"], clients: ["b2"] }), { type: "sent", sent: 0, ...rest });
  assert.deepEqual(bo.events().map((event) => event.type), ["some", "all", "some", "all", "all", "all"]);
  assert.deepEqual(heard(ana, "kick", "bo"), [
    { type: "kicked", left: 1 },
    { type: "left", who: "bo", left: 0, has: false },
    { type: "left", who: "bo", left: 0, has: false },
  ]);
  assert.deepEqual([bo.closed(), second.closed()?.code], [{ code: 1008, reason: "kicked" }, 1008]);
});

test("an emitter of one's own has the handlers, and onMessage what none of them takes", () => {
  const { ana } = meeting();
  assert.deepEqual(heard(ana, "stranger"), [{ type: "unknown", status: "online" }]);
  assert.equal(heard(ana, "again")[0].type, "shown");
  assert.deepEqual(heard(ana, "frames")[0].frames, [{ type: "a", data: 0 }, null, null, null]);
});

test("a new instance tells onHibernationRestore who is there, unless nobody is", () => {
  const { room, ana, bo } = meeting();
  ana.send("status", "busy");
  bo.received();
  room.restore("wake");
  assert.deepEqual([ana.events(), bo.events()], [
    [{ type: "restored", status: "busy" }],
    [{ type: "restored", status: "online" }],
  ]);
});

test("a stub of this room answers, and one of another room says it with the commit", () => {
  const { room, ana, bo } = meeting();
  assert.deepEqual(heard(ana, "tell", "default").at(-1), { type: "told all", told: [1, 2, 1, 1], count: 2, users: ["ana", "bo"] });
  assert.deepEqual(bo.events().map((event) => event.by), ["user", "channel", "some", "both"]);
  const [told] = heard(ana, "tell", "inbox/lobby");
  assert.deepEqual([told.told, told.users], [[null, null, null, null], null]);
  assert.match(told.count, /a turn cannot wait for another room \(inbox\/lobby\)/);
  assert.deepEqual(room.elsewhere(), [
    { room: "inbox/lobby", users: ["bo"], event: "told", data: { by: "user" } },
    { room: "inbox/lobby", channel: "default", event: "told", data: { by: "channel" } },
    { room: "inbox/lobby", channel: "default", users: ["bo"], event: "told", data: { type: "told", by: "some" } },
    { room: "inbox/lobby", channel: "default", users: ["bo"], event: "told", data: { type: "told", by: "both" } },
  ]);
  heard(ana, "tell", "no room");
  assert.match(room.failures()[0]!.message, /1 to 128 of/);
});

test("what is refused on its way to another room leaves no bytes to the next emit, and null stays null", () => {
  const { room, ana } = meeting();
  heard(ana, "tell null");
  assert.deepEqual(room.failures(), []);
  assert.deepEqual(room.elsewhere(), [
    { room: "lobby", channel: "default", event: "nothing", data: null },
    { room: "lobby", channel: "default", event: "none", data: {} },
    { room: "lobby", channel: "default", event: "after", data: { n: 2 } },
  ]);
});

test("the storage has the functions of a Durable Object's", () => {
  const { ana } = meeting();
  const keys = ["a", "b", "ba", "c", "😀", "\uffff"];
  const stored = (...steps: unknown[][]) => heard(ana, "storage", steps)[0].seen;
  stored(["put", Object.fromEntries(keys.map((key, at) => [key, at])), { allowUnconfirmed: true }]);
  const listed = (range: object) => stored(["list", range])[0].map(([key]: [string]) => key);
  assert.deepEqual(listed({}), ["a", "b", "ba", "c", "\uffff", "😀"]);
  assert.deepEqual(listed({ start: "b", end: "c" }), ["b", "ba"]);
  assert.deepEqual(listed({ startAfter: "b", end: "\uffff" }), ["ba", "c"]);
  assert.deepEqual(listed({ start: "aa", limit: 1 }), ["b"]);
  assert.deepEqual(listed({ prefix: "b", start: "a" }), ["b", "ba"]);
  assert.deepEqual(listed({ prefix: "b", start: "ba", reverse: true }), ["ba"]);
  assert.deepEqual(listed({ reverse: true, limit: 2 }), ["😀", "\uffff"]);
  assert.deepEqual(listed({ end: "😀", reverse: true, limit: 1 }), ["\uffff"]);
  assert.deepEqual(listed({ limit: 0 }), []);
  assert.deepEqual(stored(["get", ["a", "x"]], ["get", "b", {}], ["delete", ["a", "x"]], ["delete", "b"]), [[["a", 0]], 1, 1, true]);
  assert.deepEqual(stored(["setAlarm", 9e12], ["getAlarm"], ["deleteAlarm"], ["getAlarm"]), [null, 9e12, null, null]);
  assert.deepEqual(stored(["deleteAll"], ["sync"], ["list"]), [null, null, []]);
});

test("a transaction that fails or is rolled back leaves nothing, and others come one after another", () => {
  const done = (how: string) => heard(meeting().ana, "transaction", how)[0];
  const before = { all: { a: 1, b: 2 }, alarm: null, late: "invalid" };
  assert.deepEqual(done("throw"), { type: "done", keys: "no", ...before });
  assert.deepEqual(done("rollback"), { type: "done", keys: ["a", "b"], ...before });
  const after = { all: { a: 10, c: 3, d: 4 }, alarm: 5_000_000, late: "invalid" };
  assert.deepEqual(done("commit"), { type: "done", keys: ["a", "c", "d"], ...after });
  assert.deepEqual(heard(meeting().ana, "count"), [{ type: "counted", counts: [1, 2, 3] }]);
});

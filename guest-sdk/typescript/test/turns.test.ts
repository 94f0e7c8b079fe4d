/** What a plugin's author can rely on in a test room: turns that leave no trace, errors and who hears of them, sockets that come and go. */

import assert from "node:assert/strict";
import test from "node:test";
import { ConnectionRefused, TestRoom, TurnFailed } from "@parlor/guest/testing";

const room = () => new TestRoom({ entry: "test/rooms/turns.ts" });

/** The names of events. */
const names = (events: { type: string }[]) => events.map((event) => event.type);

test("a failed turn leaves no trace", () => {
  const turns = room();
  const ada = turns.connect("/ws");
  ada.send("fail");
  assert.deepEqual(ada.events(), [{ type: "failed", event: "fail", code: "late", message: "too late" }]);
  assert.deepEqual(turns.storedKeys, []);
  assert.deepEqual(ada.meta.channels, ["default"]);
  assert.deepEqual([turns.timers(), turns.alarm(), ada.closed()], [[], undefined, undefined]);
  ada.send("role");
  assert.deepEqual(ada.events(), [{ type: "role", role: null }]);
});

test("handlers are awaited one after another", () => {
  const ada = room().connect("/ws");
  ada.send("order");
  assert.deepEqual(names(ada.events()), ["first", "second"]);
});

test("an error goes to the log with its place, to onError and to failures", () => {
  const turns = room();
  const ada = turns.connect("/ws");
  ada.send("error", "cat");
  const message = "the cat ate it: TypeError: no food";
  assert.deepEqual(ada.events(), [{ type: "failed", event: "error", code: "cat", message }]);
  assert.deepEqual(turns.failures(), [{ event: "error", code: "cat", message }]);
  assert.equal(turns.log().length, 1);
  assert.match(turns.log()[0]!, /^error: cat: the cat ate it: TypeError: no food\n    at test\/rooms\/turns\.ts:\d+$/);
});

test("no $error follows a failed $error", () => {
  const turns = room();
  const ada = turns.connect("/ws");
  ada.send("error", "twice");
  assert.deepEqual(turns.failures().map(({ event, code }) => [event, code]), [["error", "twice"], ["$error", "twice"]]);
  assert.deepEqual(ada.received(), []);
});

test("a rejection goes to the sender, and to who asks", () => {
  const turns = room();
  const ada = turns.connect("/ws");
  ada.send("double", { number: "four" });
  assert.deepEqual(ada.events(), [{ type: "error", code: "bad-data", message: "a number, please" }]);
  assert.throws(() => ada.request("double", {}), (error) => error instanceof TurnFailed && error.code === "bad-data");
  assert.equal(ada.request("double", { number: 4 }), undefined);
  assert.deepEqual(turns.failures(), []);
});

test("a failed onConnect undoes the membership, and no onDisconnect follows", () => {
  const turns = room();
  const eve = turns.connectAs({ userId: "eve" });
  assert.deepEqual(eve.closed(), { code: 1011, reason: "the plugin failed in $connect" });
  assert.deepEqual(eve.events(), [{ type: "error", code: "banned", message: "not you" }]);
  assert.equal(turns.sessionCount, 0);
  assert.deepEqual(turns.log(), []);
  assert.throws(() => eve.meta, /has left/);
});

test("a socket that ended is out of everything, but its meta can be read", () => {
  const turns = room();
  const ada = turns.connectAs({ userId: "ada", closed: true });
  assert.deepEqual(ada.closed(), { code: 3001, reason: "full" });
  turns.connectAs({ userId: "bob" }).close(1001, "gone");
  assert.deepEqual(turns.log(), ["info: 3001 ada 0 0 3", "info: 1001 bob 0 0 3"]);
});

test("what a closed socket sends is heard by nobody", () => {
  const turns = room();
  const ada = turns.connect("/ws");
  ada.close();
  ada.send("role");
  ada.close(1001, "twice");
  assert.deepEqual([ada.received(), ada.closed()], [[], { code: 1000, reason: "" }]);
});

test("the fallback is for what nobody else handles, a bare ping for nobody", () => {
  const ada = room().connect("/ws");
  ada.sendFrame({ type: "stranger", channel: "news", data: [1] });
  ada.sendFrame({ type: "ping" });
  const frame = { type: "stranger", channel: "news", data: [1] };
  const event = { type: "event", channel: "default", data: { type: "fallback", frame } };
  assert.deepEqual(ada.received(), [event, { type: "pong" }]);
});

test("registrations are no effects: they outlast a failed turn, and go with the instance", () => {
  const turns = room();
  const ada = turns.connect("/ws");
  assert.deepEqual(turns.registered.filter((name) => !name.startsWith("$")).length, 8);
  ada.send("more");
  ada.send("fewer");
  assert.deepEqual([turns.registered.includes("later"), turns.registered.includes("role")], [true, false]);
  turns.restore("crash");
  assert.deepEqual([turns.registered.includes("later"), turns.registered.includes("role")], [false, true]);
});

test("a name that the server refuses fails the turn", () => {
  const turns = room();
  turns.connect("/ws").send("ill-named");
  assert.equal(turns.failures()[0]!.code, "invalid");
  assert.match(turns.failures()[0]!.message, /\$nope is no hook that this host knows/);
});

test("extractMeta has an instance of its own, and can leave it to the server", () => {
  const turns = room();
  assert.equal(turns.connect("/ws?number=4").meta.userId, "1-4");
  assert.equal(turns.connect("/ws?number=5").meta.userId, "1-5");
  assert.equal(turns.connect("/ws").meta.userId.length, 36);
  assert.throws(() => turns.connect("/ws?number=x"), new ConnectionRefused(401, ""));
  assert.throws(() => turns.connect("/other"), { status: 404 });
});

test("what no client could send, and no server would take, is told to the test", () => {
  const turns = room();
  const ada = turns.connect("/ws");
  assert.throws(() => ada.send("$connect"), /a client cannot send \$connect/);
  assert.throws(() => ada.send(""), /1 to 128 bytes, not 0/);
  assert.throws(() => ada.send("é".repeat(65)), /1 to 128 bytes, not 130/);
  assert.throws(() => ada.send("role", () => 1), /JSON has no form of a function/);
  assert.throws(() => ada.send("role", "x".repeat(65_535)), /up to 65536 bytes, not 65537/);
  assert.throws(() => turns.connectAs({ userId: "" }), /user-id must be 1 to 128 bytes, not 0/);
  assert.throws(() => turns.connectAs({ userId: "ada", text: "x".repeat(4096) }), /meta-fields-bytes/);
  assert.throws(() => new TestRoom({ entry: "test/rooms/missing.ts" }), /there is no room's module "test\/rooms\/missing.ts"/);
});

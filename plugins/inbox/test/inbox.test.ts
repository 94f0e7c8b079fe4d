/** What a user of the inbox can rely on. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";

const NOW = 1_700_000_000_000;
const TOKENS = {
  "t-ada": { id: "ada", username: "Ada", role: "admin" },
  "t-bob": { id: "bob", username: "Bob" },
};

function newRoom(tokens: string = JSON.stringify(TOKENS)) {
  return new TestRoom({ config: { tokens }, time: NOW });
}

/** A socket whose inbox has come. */
function connect(room: TestRoom, token: string) {
  const socket = room.connect(`/ws/inbox?token=${token}`);
  socket.received();
  return socket;
}

test("only tokens of the configuration open the door", () => {
  const room = newRoom();
  for (const refused of ["/ws/inbox", "/ws/inbox?token=", "/ws/inbox?token=demo-ada"]) {
    assert.throws(() => room.connect(refused), { status: 401 }, refused);
  }
  const ada = room.connect("/ws/inbox?token=t-ada");
  const inbox = { type: "inbox", userId: "ada", username: "Ada", role: "admin", notes: [], unread: 0 };
  assert.deepEqual(ada.received(), [{ type: "event", channel: "everybody", data: inbox }]);
});

test("nobody gets in where no tokens are configured", () => {
  const room = new TestRoom();
  assert.throws(() => room.connect("/ws/inbox?token=t-ada"), { status: 401 });
  assert.deepEqual(room.log(), ["error: nobody can connect: `tokens` are not configured"]);
});

test("tokens that cannot be read let nobody in, and no client hears why", () => {
  for (const tokens of ["none", '{"t-ada": null}', '{"t-ada": {"id": "everybody"}}', `{"t-ada": {"id": "ada", "username": "${"a".repeat(65)}"}}`]) {
    const room = newRoom(tokens);
    assert.throws(() => room.connect("/ws/inbox?token=t-ada"), { status: 401, message: "" }, tokens);
    assert.match(room.log().join("\n"), /^error: /);
    assert.ok(!room.log().join("\n").includes("t-ada"), "a token is a secret");
  }
});

test("a note reaches all devices of its user, and nobody else", () => {
  const room = newRoom();
  const [ada, phone, laptop] = [connect(room, "t-ada"), connect(room, "t-bob"), connect(room, "t-bob")];
  ada.send("note.send", { userId: "bob", text: " tea? " });
  const note = { id: 1, from: "Ada", text: "tea?", sentAt: NOW, read: false };
  for (const device of [phone, laptop]) assert.deepEqual(device.events(), [{ type: "inbox.changed", note, unread: 1 }]);
  assert.deepEqual(ada.events(), [{ type: "note.sent", userId: "bob", id: 1, devices: 2 }]);
});

test("a note waits for a user who is away, also when the server restarts", () => {
  const room = newRoom();
  const ada = connect(room, "t-ada");
  ada.send("note.send", { userId: "bob", text: "tea?" });
  assert.equal(ada.events()[0].devices, 0);
  room.restart();
  const [inbox] = room.connect("/ws/inbox?token=t-bob").events();
  assert.equal(inbox.unread, 1);
  assert.deepEqual(inbox.notes.map((note) => note.text), ["tea?"]);
});

test("marking as read is told to all own devices, and stays", () => {
  const room = newRoom();
  const [ada, phone, laptop] = [connect(room, "t-ada"), connect(room, "t-bob"), connect(room, "t-bob")];
  for (const text of ["one", "two", "three"]) ada.send("note.send", { userId: "bob", text });
  for (const socket of [ada, phone, laptop]) socket.events();
  phone.send("note.read", { id: 2 });
  phone.send("note.read");
  const read = [
    { type: "inbox.read", id: 2, unread: 2, readAt: NOW },
    { type: "inbox.read", unread: 0, readAt: NOW },
  ];
  for (const device of [phone, laptop]) assert.deepEqual(device.events(), read);
  assert.deepEqual(ada.events(), []);
  assert.equal(room.connect("/ws/inbox?token=t-bob").events()[0].unread, 0);
});

test("the oldest note goes where there are too many", () => {
  const room = newRoom();
  const ada = connect(room, "t-ada");
  for (let number = 1; number <= 26; number += 1) ada.send("note.send", { userId: "ada", text: `note ${number}` });
  const { notes, unread } = room.connect("/ws/inbox?token=t-ada").events()[0];
  assert.equal(unread, 25);
  assert.deepEqual([notes[0].id, notes[24].id], [2, 26]);
});

test("the longest notes fit into one list", () => {
  const room = newRoom();
  const ada = connect(room, "t-ada");
  // Each of these takes six bytes of JSON.
  for (let number = 1; number <= 25; number += 1) ada.send("note.send", { userId: "ada", text: `a${"\u0001".repeat(278)}z` });
  assert.equal(room.connect("/ws/inbox?token=t-ada").events()[0].notes.length, 25);
  assert.deepEqual(room.failures(), []);
});

test("what is no note is refused, and its sender is told", () => {
  const room = newRoom();
  const ada = connect(room, "t-ada");
  ada.send("note.send", { userId: "eve", text: "hi" });
  for (const text of [undefined, 1, "  ", "x".repeat(281)]) ada.send("note.send", { userId: "bob", text });
  ada.send("note.read", { id: "1" });
  assert.deepEqual(ada.events().map(({ code }) => code), ["user.unknown", ...Array(4).fill("note.text"), "note.id"]);
  assert.deepEqual(room.storedKeys, []);
});

test("a note without a user fails, and no client hears of it", () => {
  const room = newRoom();
  const ada = connect(room, "t-ada");
  ada.send("note.send", { text: "hi" });
  assert.deepEqual(ada.events(), []);
  assert.deepEqual(room.failures(), [{ event: "note.send", code: "error", message: "a note without a userId" }]);
});

test("only admins announce", () => {
  const room = newRoom();
  const [ada, bob] = [connect(room, "t-ada"), connect(room, "t-bob")];
  bob.send("announce", { message: "free cake" });
  assert.deepEqual(bob.events(), [{ type: "error", code: "not-admin", message: "only admins announce" }]);
  assert.deepEqual(ada.events(), []);
  ada.send("announce", { message: "free cake" });
  const cake = { type: "announcement", message: "free cake", from: "Ada", timestamp: NOW };
  for (const socket of [ada, bob]) assert.deepEqual(socket.events(), [cake]);
  assert.deepEqual(room.log(), ["info: ada announced to 2 sockets"]);
});

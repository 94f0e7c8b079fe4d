/** What a plugin's author can rely on in a test room: histories, presence, and hooks for users and lines. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";

const ROOM = { entry: "test/rooms/presence.ts" };

test("hooks tell of a user's first and last socket, and of a line that broke", () => {
  const room = new TestRoom(ROOM);
  const watcher = room.connectAs({ userId: "watcher" });
  watcher.events();
  const [phone, laptop] = [room.connectAs({ userId: "ada" }), room.connectAs({ userId: "ada" })];
  phone.loseLine();
  phone.comeBack();
  phone.close();
  laptop.close();
  laptop.loseLine();
  assert.deepEqual(watcher.events().map(({ type, userId }) => [type, userId]), [
    ["join", "ada"],
    ["lost", undefined],
    ["back", undefined],
    ["leave", "ada"],
  ]);
});

test("presence follows channels that are written to a meta", () => {
  const room = new TestRoom(ROOM);
  const ada = room.connectAs({ userId: "ada", channels: ["lobby"] });
  const bob = room.connectAs({ userId: "bob" });
  ada.events();
  bob.events();
  bob.send("enter");
  const users = [{ userId: "ada", clients: 1 }, { userId: "bob", clients: 1 }];
  assert.deepEqual(bob.events(), [{ type: "presence.state", channel: "lobby", users }]);
  bob.send("exit");
  assert.deepEqual(ada.events(), [
    { type: "presence.join", channel: "lobby", userId: "bob" },
    { type: "presence.leave", channel: "lobby", userId: "bob" },
  ]);
});

test("a newcomer hears as many users as fit, and how many are left out", () => {
  const room = new TestRoom(ROOM);
  // As JSON has them, such letters are long.
  const long = "\u0001".repeat(120);
  for (let number = 100; number < 300; number += 1) room.connectAs({ userId: `${long}${number}`, channels: ["lobby"] });
  const [{ users, more }] = room.connectAs({ userId: "z", channels: ["lobby"] }).events();
  assert.equal(users.length + more, 201);
  assert.ok(more > 0 && JSON.stringify(users).length > 120_000, `${users.length} users`);
});

test("onStart reads the configuration, and a history is kept from there on alone", () => {
  const room = new TestRoom({ ...ROOM, config: { entries: "3" } });
  const ada = room.connectAs({ userId: "ada" });
  for (const text of ["a", "b", "c", "d"]) ada.send("headline", text);
  ada.events();
  ada.send("headlines");
  const [{ texts, recovered, last }] = ada.events();
  assert.deepEqual([texts, recovered], [["b", "c", "d"], true]);
  ada.send("headline", "e");
  ada.send("headlines", last);
  assert.deepEqual(ada.events()[0].texts, ["e"]);
  ada.send("keep");
  assert.match(room.failures().at(-1)!.message, /onStart, and not for handlers/);
});

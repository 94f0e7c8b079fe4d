// What a user of the room can rely on, tested without a server.

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";

/** A room with Ada and Bob in it, who were welcomed. */
function adaAndBob() {
  const room = new TestRoom({ config: { motd: "be brief" } });
  const [ada, bob] = ["ada", "bob"].map((userId) => room.connectAs({ userId }));
  for (const socket of [ada, bob]) {
    const { userId } = socket.meta;
    assert.deepEqual(socket.events(), [{ type: "welcome", userId, motd: "be brief", said: 0 }]);
  }
  return { room, ada, bob };
}

test("everybody hears what is said", () => {
  const { ada, bob } = adaAndBob();
  ada.send("say", { text: "hello" });
  const said = { type: "said", number: 1, from: "ada", text: "hello" };
  assert.deepEqual(ada.events(), [said]);
  assert.deepEqual(bob.events(), [said]);
});

test("what is refused leaves no trace", () => {
  const { room, ada, bob } = adaAndBob();
  ada.send("say", { text: " " });
  assert.deepEqual(ada.events(), [{ type: "error", code: "say.empty", message: "say something" }]);
  assert.deepEqual(bob.events(), []);
  assert.equal(room.stored("count"), undefined);
});

test("the count outlives a restart of the server", () => {
  const { room, ada } = adaAndBob();
  ada.send("say", { text: "hello" });
  room.restart();
  assert.equal(room.connectAs({ userId: "cat" }).events()[0].said, 1);
});

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom, type TestSocket } from "@parlor/guest/testing";

const say = (socket: TestSocket, text: unknown) => {
  socket.send("say", { text });
  return socket.events();
};

test("whoever comes sees what was said, and who is there", () => {
  const room = new TestRoom();
  const ada = room.connect("/ws/lounge?name=Ada");
  assert.deepEqual(ada.events(), [{ type: "lounge", you: "Ada", lines: [], names: ["Ada"] }]);
  const [line] = say(ada, " hello ");
  assert.deepEqual(line, { type: "line", id: 1, from: "Ada", text: "hello", sentAt: room.time });
  const bob = room.connect("/ws/lounge?name=Bob");
  const { type: _, ...kept } = line;
  assert.deepEqual(bob.events(), [{ type: "lounge", you: "Bob", lines: [kept], names: ["Ada", "Bob"] }]);
  assert.deepEqual(ada.events(), [{ type: "names", names: ["Ada", "Bob"] }]);
  bob.close();
  assert.deepEqual(ada.events(), [{ type: "names", names: ["Ada"] }]);
});

test("five lines at once, then one every four seconds, whatever the device", () => {
  const room = new TestRoom();
  const [phone, laptop] = [room.connect("/ws/lounge?name=Ada"), room.connect("/ws/lounge?name=ada")];
  for (const socket of [phone, laptop]) socket.events();
  for (let at = 0; at < 5; at += 1) assert.equal(say(at % 2 === 0 ? phone : laptop, `line ${at}`).at(-1).type, "line");
  laptop.events();
  assert.deepEqual(say(laptop, "too much"), [{ type: "refused", why: "one after another, please", waitMs: 4_000 }]);
  room.advance(3_000);
  assert.deepEqual(say(laptop, "still"), [{ type: "refused", why: "one after another, please", waitMs: 1_000 }]);
  room.advance(1_000);
  assert.equal(say(laptop, "at last")[0].id, 6);
});

test("the last thirty lines are kept, also over a restart", () => {
  const room = new TestRoom();
  const ada = room.connect("/ws/lounge?name=Ada");
  for (let at = 0; at < 35; at += 1) {
    room.advance(4_000);
    say(ada, `line ${at}`);
  }
  room.restore("restart");
  const { lines } = room.connect("/ws/lounge?name=Bob").events()[0];
  assert.deepEqual([lines.length, lines[0].text, lines.at(-1).text], [30, "line 5", "line 34"]);
});

test("what is no line is refused, and so is who has no name", () => {
  const room = new TestRoom();
  const ada = room.connect("/ws/lounge?name=Ada");
  ada.events();
  for (const text of ["", "  ", 7, "x".repeat(281)]) assert.match(say(ada, text)[0].why, /1 to 280 characters/);
  assert.throws(() => room.connect("/ws/lounge"), { status: 400 });
});

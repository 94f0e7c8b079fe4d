/** What a plugin's author can rely on in a test room: timers, the alarm and what lasts, in virtual time. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";

const START = 1_000_000;

const clockwork = (alarm = "") => new TestRoom({ entry: "test/rooms/clockwork.ts", time: START, config: { alarm } });

/** Lines of the level info. */
const info = (...lines: string[]) => lines.map((line) => `info: ${line}`);

test("timers and the alarm run in the order of their times", () => {
  const room = clockwork();
  const ada = room.connect("/ws");
  ada.send("alarm", 2_000);
  for (const timer of [["b", 3_000], ["c", 2_000], ["a", 2_000]]) ada.send("timer", timer);
  assert.deepEqual(room.timers().map((timer) => timer.name), ["c", "a", "b"]);
  assert.deepEqual(room.timers()[0], { name: "c", due: START + 2_000, data: 2_000 });
  room.advance(1_999);
  assert.deepEqual(room.log(), []);
  room.advance(1);
  // At the same moment: timers as they were set, then the alarm.
  assert.deepEqual(room.log(), info("c 2000 at 2000", "a 2000 at 2000", "alarm 2000 attempt 1 at 2000"));
  room.advance(60_000);
  assert.deepEqual(room.log().slice(3), info("b 3000 at 3000"));
  assert.deepEqual([room.timers(), room.alarm(), room.time], [[], undefined, START + 62_000]);
});

test("a timer of the same name replaces the first, and a cancelled one never runs", () => {
  const room = clockwork();
  const ada = room.connect("/ws");
  for (const timer of [["a", 1_000], ["b", 1_000], ["a", 5_000]]) ada.send("timer", timer);
  ada.send("cancel", "b");
  assert.deepEqual(ada.events(), [{ type: "cancelled", data: [true, false] }]);
  room.advance(10_000);
  assert.deepEqual(room.log(), info("a 5000 at 5000"));
});

test("what runs may set itself anew, and that runs in the same stretch of time", () => {
  const room = clockwork();
  room.connect("/ws").send("timer", ["tick", 1_000]);
  room.advance(3_500);
  assert.deepEqual(room.log(), info("tick 1000 at 1000", "tick 1000 at 2000", "tick 1000 at 3000"));
  assert.equal(room.timers()[0]!.due, START + 4_000);
});

test("what sets itself for the same moment for ever is told to the test", () => {
  const room = clockwork("for-ever");
  room.connect("/ws").send("alarm", 0);
  assert.throws(() => room.advance(0), /for ever/);
  const timers = clockwork();
  timers.connect("/ws").send("timer", ["tick", 0]);
  assert.throws(() => timers.advance(0), /for ever/);
});

test("setting and cancelling are effects that the turn sees and that a failure undoes", () => {
  const room = clockwork();
  const ada = room.connect("/ws");
  ada.send("timer", ["b", 9_000]);
  ada.send("alarm", 9);
  ada.send("both", true);
  assert.deepEqual([room.timers().length, room.alarm()], [1, START + 9]);
  ada.send("both", false);
  assert.deepEqual([room.timers().length, room.alarm()], [0, undefined]);
  assert.deepEqual(room.log().filter((line) => line.startsWith("info")), info("true true 7 undefined", "true true 7 undefined"));
});

test("a timer is gone when it has run, whether its turn fails or not", () => {
  const room = clockwork();
  room.connect("/ws").send("timer", ["cat", 1_000]);
  room.advance(60_000);
  assert.deepEqual(room.timers(), []);
  assert.deepEqual(room.failures(), [{ event: "cat", code: "error", message: "the cat ate it" }]);
  assert.equal(room.log().at(-1), "warn: cat error");
});

test("a failed alarm is tried again later and later, and then is gone", () => {
  const room = clockwork("fails");
  room.connect("/ws").send("alarm", 1_000);
  room.advance(1_000);
  assert.deepEqual([room.alarm(), room.stored("attempt")], [START + 1_000, undefined]);
  room.advance(3_600_000);
  // After 1, 2, 4 ... seconds, and never more than five minutes.
  const at = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 812, 1_112];
  const lines = at.map((second, number) => `alarm 1000 attempt ${number + 1} at ${second * 1_000}`);
  assert.deepEqual(room.log().filter((line) => line.startsWith("info")), info(...lines));
  assert.deepEqual([room.alarm(), room.stored("attempt"), room.failures().length], [undefined, 12, 11]);
});

test("a restart leaves storage and the alarm, and nothing else", () => {
  const room = clockwork("fails-once");
  const ada = room.connect("/ws");
  ada.send("timer", ["a", 1_000]);
  ada.send("alarm", 5_000);
  room.restore("crash");
  room.restart();
  assert.deepEqual(ada.closed(), { code: 1006, reason: "" });
  assert.deepEqual([room.sessionCount, room.timers(), room.alarm(), room.stored("visits")], [0, [], START + 5_000, 1]);
  room.advance(5_500);
  room.restart();
  room.advance(60_000);
  const lines = room.log().filter((line) => line.startsWith("info"));
  const begun = info("crash with 1 sockets", "restart with 0 sockets", "alarm 5000 attempt 1 at 5000");
  assert.deepEqual(lines.slice(0, 3), begun);
  // Counted anew by the server that was started again; in its new instance the first attempt fails too.
  const more = info("restart with 0 sockets", "alarm 5000 attempt 1 at 5500", "alarm 5000 attempt 2 at 6500");
  assert.deepEqual([lines.slice(3), room.alarm()], [more, undefined]);
});

test("a restart of a room that keeps nothing tells nobody", () => {
  const room = new TestRoom({ entry: "test/rooms/counter.ts" });
  room.restart();
  assert.deepEqual(room.log(), []);
});

test("setting the clock runs nothing, and what is overdue runs at once", () => {
  const room = clockwork();
  room.connect("/ws").send("timer", ["a", 1_000]);
  room.time = START + 7_000;
  assert.deepEqual(room.log(), []);
  room.advance(0);
  assert.deepEqual(room.log(), info("a 1000 at 7000"));
});

test("each refusal says what and the bound", () => {
  const room = clockwork();
  room.connect("/ws").send("bounds");
  assert.deepEqual(room.log(), info(
    "limit-exceeded: the bound timers-per-room would be passed",
    "limit-exceeded: the bound timer-bytes would be passed",
    "invalid: a timer's name must be 1 to 128 bytes, not 0",
    "invalid: the time of an alarm must be 0 to 9007199254740991 ms, not 18014398509481984",
  ));
  assert.deepEqual([room.failures(), room.timers().length, room.timers()[63]!.due], [[], 64, START + 2_000]);
});

test("a time that is none is told to the test", () => {
  const room = clockwork();
  assert.throws(() => room.advance(-1), /the time to advance by is a number of milliseconds, 0 to 9007199254740991, not -1/);
  assert.throws(() => (room.time = NaN), /a room's time is a number of milliseconds/);
});

/** What a plugin's author can rely on in a test room when the instance goes: sleeping, waking, swapping, and the state that goes over. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom, TurnFailed } from "@parlor/guest/testing";

const COUNTER = "test/rooms/counter.ts";
const room = (name: string) => new TestRoom({ entry: `test/rooms/${name}.ts` });
const info = (...lines: string[]) => lines.map((line) => `info: ${line}`);
const said = (version: number, count: number) => ({ type: "said", version, count });

test("a room that wakes goes on where it fell asleep", () => {
  const counter = room("counter");
  const ada = counter.connect("/ws");
  ada.send("say");
  counter.sleep();
  counter.sleep();
  assert.ok(counter.isAsleep());
  assert.deepEqual(counter.suspended(), { schema: "count/1", state: 1 });
  ada.send("say");
  assert.deepEqual([counter.isAsleep(), counter.suspended()], [false, undefined]);
  assert.deepEqual(ada.events(), [said(1, 1), said(1, 2)]);
  assert.deepEqual(counter.log(), info("1 goes: sleep", "1 takes 1"));
});

test("a state is given once", () => {
  const counter = room("counter");
  const ada = counter.connect("/ws");
  counter.sleep();
  ada.send("say");
  counter.restore("crash");
  ada.send("say");
  counter.sleep();
  // A crash of the server: nobody was there who could have kept it.
  counter.restart();
  assert.deepEqual([counter.isAsleep(), counter.suspended()], [false, undefined]);
  assert.deepEqual(ada.events(), [said(1, 1), said(1, 1)]);
  assert.deepEqual(counter.log(), info("1 goes: sleep", "1 takes 1", "1 anew: crash", "1 goes: sleep"));
});

test("only what the plugin asked for wakes the room", () => {
  const stateless = room("stateless");
  const ada = stateless.connect("/ws");
  ada.send("ask");
  stateless.sleep();
  ada.sendFrame({ type: "ping" });
  ada.send("nobody's");
  // What a handler registered went with its instance.
  ada.send("later");
  const bob = stateless.connect("/ws");
  assert.ok(stateless.isAsleep());
  bob.close();
  assert.ok(!stateless.isAsleep());
  assert.deepEqual(stateless.log(), info("stateless: wake"));
});

test("a keepalive wakes the room where it has a handler", () => {
  const pinged = room("suspends");
  const ada = pinged.connect("/ws");
  pinged.sleep();
  ada.sendFrame({ type: "ping" });
  assert.ok(!pinged.isAsleep());
});

test("a new version takes the states of older ones", () => {
  const counter = room("counter");
  const ada = counter.connect("/ws");
  ada.send("say");
  counter.swap("test/rooms/counter2.ts");
  ada.send("say");
  // Asleep, and swapped so.
  counter.sleep();
  counter.swap("test/rooms/counter3.ts");
  ada.send("say");
  assert.deepEqual(ada.events(), [said(1, 1), said(2, 2), said(3, 3)]);
  assert.deepEqual(counter.log(), info("1 goes: swap", "2 takes 1", "2 goes: sleep", "3 takes 2"));
});

test("a swap is undone where the state is not taken", () => {
  const counter = room("counter");
  const ada = counter.connect("/ws");
  ada.send("say");
  assert.throws(() => counter.swap("test/rooms/counter3.ts"), (error) => {
    assert.ok(error instanceof TurnFailed);
    assert.deepEqual([error.event, error.code], ["$resume", "resume.schema"]);
    assert.equal(error.message, 'no onResume takes a state of the schema "count/1", only count/2');
    return true;
  });
  ada.send("say");
  assert.deepEqual(ada.events(), [said(1, 1), said(1, 2)]);
  assert.equal(counter.failures().length, 1);
  assert.deepEqual(counter.log().filter((line) => line.startsWith("info")), info("1 goes: swap", "1 takes 1"));
});

test("a version that does not start changes nothing", () => {
  const counter = room("counter");
  const ada = counter.connect("/ws");
  ada.send("say");
  const failed = { event: "init", code: "no-instance" };
  const no = () => counter.swap("test/rooms/no-start.ts");
  assert.throws(no, failed);
  ada.send("say");
  assert.deepEqual(ada.events(), [said(1, 1), said(1, 2)]);
  counter.sleep();
  assert.throws(no, failed);
  assert.deepEqual([counter.isAsleep(), counter.suspended()], [true, { schema: "count/1", state: 2 }]);
  assert.throws(() => room("no-start"), /the bound registrations would be passed/);
});

test("a state that the waking version cannot read is lost and told", () => {
  const counter = room("counter3");
  const ada = counter.connect("/ws");
  ada.send("say");
  counter.sleep();
  ada.send("say");
  assert.deepEqual(ada.events(), [said(3, 1), said(3, 1)]);
  assert.deepEqual(counter.log().filter((line) => line.startsWith("info")), info("3 goes: sleep", "3 anew: wake"));
  assert.deepEqual(counter.failures().map((failed) => failed.code), ["resume.schema"]);
});

test("without a state or a handler for it the new instance restores", () => {
  const stateless = room("stateless");
  const ada = stateless.connect("/ws");
  stateless.sleep();
  ada.send("say");
  // There is a handler now, and no state.
  stateless.swap("test/rooms/taker.ts");
  // There is a state, and no handler.
  stateless.swap("test/rooms/suspends.ts");
  stateless.swap("test/rooms/stateless.ts");
  assert.deepEqual(stateless.log(), info("stateless: wake", "taker: swap", "swap", "stateless: swap"));
});

test("what no handler takes goes to the one for all others", () => {
  const taken = room("counter");
  taken.swap("test/rooms/taker.ts");
  taken.swap("test/rooms/suspends.ts");
  taken.connect("/ws").send("foreign");
  taken.sleep();
  assert.deepEqual(taken.suspended(), { schema: "", state: { x: 3 } });
  taken.swap("test/rooms/taker.ts");
  assert.deepEqual(taken.log(), info("1 goes: swap", "count/1 0", "swap", " { x: 3 }"));
  const refused = new TestRoom({ entry: COUNTER, config: { resume: "no" } });
  assert.throws(() => refused.swap("test/rooms/taker.ts"), { code: "mine", message: "not today" });
});

test("suspending is a turn as any other, and where it fails there is no state", () => {
  const suspends = room("suspends");
  const ada = suspends.connect("/ws");
  const most = (256 << 10) - '{"schema":"big","state":""}'.length;
  for (const [bytes, fails] of [[most, undefined], [most + 1, "suspend-bytes"], [1, "mine"]] as const) {
    ada.send("bytes", bytes);
    const [stored, failures] = [suspends.stored("suspended"), suspends.failures().length];
    suspends.sleep();
    assert.equal(suspends.suspended() === undefined, fails !== undefined);
    assert.equal(suspends.failures()[failures]?.code, fails);
    // Undone as a whole where it fails.
    assert.equal(suspends.stored("suspended"), fails === undefined ? bytes : stored);
    assert.equal(ada.events().length, fails === undefined ? 1 : 0);
  }
  ada.send("bytes", 0);
  assert.deepEqual(suspends.log().filter((line) => line.startsWith("info")), info("wake", "wake", "wake"));
});

test("a room has one state, and none where $suspend is off", () => {
  const suspends = room("suspends");
  const ada = suspends.connect("/ws");
  suspends.sleep();
  assert.deepEqual(suspends.suspended(), { schema: "big", state: "" });
  ada.send("none");
  suspends.sleep();
  assert.deepEqual([suspends.suspended(), suspends.failures()], [undefined, []]);
});

/** What a plugin's author can rely on where a test runs `onCheck`. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom, TurnFailed } from "@parlor/guest/testing";

const room = (name: string) => new TestRoom({ entry: `test/rooms/${name}.ts` });

test("what onCheck throws is thrown, and all else goes on", () => {
  const purse = room("purse");
  const ada = purse.connect("/ws");
  ada.send("spend", 4);
  purse.check();
  ada.send("spend", 7);
  assert.throws(
    () => purse.check(),
    (thrown) => thrown instanceof TurnFailed && thrown.event === "$check" && thrown.message.includes("it has -1"),
  );
  assert.deepEqual(purse.failures(), [{ event: "$check", code: "purse", message: "it has -1" }]);
  ada.send("spend", -1);
  purse.check();
});

test("a room that sleeps is not woken, and one without onCheck has nothing to check", () => {
  const purse = room("purse");
  purse.connect("/ws").send("spend", 11);
  purse.sleep();
  purse.check();
  assert.ok(purse.isAsleep());
  room("counter").check();
});

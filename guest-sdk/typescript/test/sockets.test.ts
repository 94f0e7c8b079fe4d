/** What a plugin's author can rely on in a test room: sockets that a room looks for in later turns. */

import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";

test("a socket that left is gone, for those who look for it and for those who kept it", () => {
  const room = new TestRoom({ entry: "test/rooms/sockets.ts" });
  const [ada, bob] = [room.connect("/ws"), room.connect("/ws")];
  const { id, userId } = bob.request("enter") as { id: number; userId: string };
  const here = { state: 1, userId };
  assert.deepEqual(ada.request("look", id), [here, here]);
  bob.close();
  const gone = { state: 3, userId: "no-such-socket" };
  assert.deepEqual(ada.request("look", id), [gone, gone]);
});

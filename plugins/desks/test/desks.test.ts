import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";


test("a status is that of the user, on all of their devices, for as long as they are there", () => {
  const room = new TestRoom();
  const laptop = room.connect("/ws/desks?user=ada");
  laptop.send("status", { status: "busy", note: " in a call " });
  const phone = room.connect({ url: "/ws/desks?user=ada", headers: { "User-Agent": "Mozilla/5.0 (Linux; Android 15) Mobile" } });
  const desk = { user: "ada", status: "busy", note: "in a call", devices: ["desktop", "phone"] };
  assert.deepEqual(phone.events(), [
    { type: "welcome", user: "ada", device: "phone" },
    { type: "desks", users: [desk], sockets: 2 },
  ]);
  phone.send("status", { status: "away" });
  assert.deepEqual([laptop.meta.status, laptop.meta.note, phone.meta.status], ["away", "", "away"]);
  laptop.close();
  assert.deepEqual(phone.events().at(-1).users, [{ user: "ada", status: "away", note: "", devices: ["phone"] }]);
});

test("a new instance tells everybody of the desks again", () => {
  const room = new TestRoom();
  const [ada, bob] = [room.connect("/ws/desks?user=ada"), room.connect("/ws/desks?user=bob")];
  ada.send("status", { status: "away", note: "lunch" });
  bob.events();
  for (const reason of ["wake", "crash", "swap"]) {
    room.restore(reason);
    const [{ users }] = bob.events();
    assert.deepEqual(users.map((desk: { user: string; status: string }) => [desk.user, desk.status]), [["ada", "away"], ["bob", "here"]]);
  }
});

test("what is no status changes nothing", () => {
  const room = new TestRoom();
  const ada = room.connect("/ws/desks?user=ada");
  ada.events();
  for (const data of [{ status: "asleep" }, { status: "busy", note: "x".repeat(61) }, { status: "busy", note: 7 }]) {
    ada.send("status", data);
    assert.match(ada.events()[0].why, /here, away or busy/);
  }
  assert.equal(ada.meta.status, "here");
  assert.throws(() => room.connect("/ws/desks?user=A!"), { status: 400 });
});

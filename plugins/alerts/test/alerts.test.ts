import assert from "node:assert/strict";
import test from "node:test";
import { TestRoom } from "@parlor/guest/testing";

test("an alert reaches all devices of its user, and nobody else", () => {
  const room = new TestRoom();
  const [ada, phone, laptop] = ["ada", "bob", "bob"].map((user) => room.connect(`/ws/alerts?user=${user}`));
  assert.deepEqual(phone!.events().slice(-2), [{ type: "devices", devices: 1 }, { type: "devices", devices: 2 }]);
  laptop!.events();
  ada!.send("alert", { user: "bob", title: " tea ", level: "warning" });
  assert.deepEqual(ada!.events().at(-1), { type: "alert.sent", user: "bob", devices: 2 });
  for (const device of [phone!, laptop!]) {
    const [{ alert, unread }] = device.events();
    assert.deepEqual([alert.title, alert.level, alert.from, alert.read, unread], ["tea", "warning", "ada", false, 1]);
  }
  laptop!.close();
  assert.deepEqual(phone!.events(), [{ type: "devices", devices: 1 }]);
});

test("alerts wait for who is away, are read on all devices, and the last twenty are kept", () => {
  const room = new TestRoom();
  const ada = room.connect("/ws/alerts?user=ada");
  for (let at = 0; at < 22; at += 1) {
    room.advance(1);
    ada.send("alert", { user: "bob", title: `alert ${at}` });
  }
  assert.equal(ada.events().at(-1).devices, 0);
  room.restore("restart");
  const [phone, laptop] = [room.connect("/ws/alerts?user=bob"), room.connect("/ws/alerts?user=bob")];
  const { alerts, unread } = phone.events()[0];
  assert.deepEqual([alerts.length, alerts[0].title, alerts.at(-1).title, unread], [20, "alert 21", "alert 2", 20]);
  laptop.events();
  phone.send("alert.read", { id: alerts[0].id });
  assert.deepEqual(laptop.events(), [{ type: "alert.read", id: alerts[0].id, unread: 19 }]);
  phone.send("alert.read", {});
  assert.deepEqual(laptop.events(), [{ type: "alert.read", unread: 0 }]);
});

test("what is no alert is refused", () => {
  const room = new TestRoom();
  const ada = room.connect("/ws/alerts?user=ada");
  ada.events();
  for (const data of [{ title: "x" }, { user: "bob", title: "" }, { user: "bob", title: "x", level: "loud" }]) {
    ada.send("alert", data);
    assert.match(ada.events()[0].why, /a user and a title/);
  }
  assert.deepEqual(room.storedKeys, []);
  assert.throws(() => room.connect("/ws/alerts"), { status: 400 });
});

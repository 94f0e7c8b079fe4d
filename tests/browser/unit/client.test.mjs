// client.js without a browser: the queue, the back-off, the keepalive and what listeners are told.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import {
  DEFAULTS, ParlorClient, backoffDelay, connect, encodeFrame, socketAddress,
} from "../../../host/pages/client.js";
import { BASE, FakeSocket, client, fakeTime, pass, realTime } from "./fakes.mjs";

function opened(options) {
  const made = client(options);
  FakeSocket.last.open();
  return made;
}

function event(type, data = {}, channel = "default") {
  return { type: "event", channel, data: { type, ...data } };
}

beforeEach(fakeTime);
afterEach(realTime);

describe("addresses", () => {
  test("a path becomes a WebSocket address of the page's host", () => {
    assert.equal(socketAddress("/ws?room=x", { base: BASE }), "ws://host.example/ws?room=x");
    assert.equal(socketAddress("/ws", { base: "https://host.example:8443/a" }), "wss://host.example:8443/ws");
    assert.equal(socketAddress("ws://other.example/ws#top", {}), "ws://other.example/ws");
  });

  test("room and query are added, and encoded", () => {
    const made = socketAddress("/ws", { base: BASE, room: "a", query: { userId: "ana & ben", none: undefined } });
    assert.equal(made, "ws://host.example/ws?room=a&userId=ana+%26+ben");
  });

  test("a query function is asked at every attempt", () => {
    let token = 0;
    client({ query: () => ({ token: ++token }) });
    FakeSocket.last.drop();
    pass(DEFAULTS.baseDelayMs);
    assert.deepEqual(FakeSocket.made.map(({ url }) => url.at(-1)), ["1", "2"]);
  });

  test("what is no address is refused at once", () => {
    assert.throws(() => client({ base: "file:///page.html" }), TypeError);
    assert.throws(() => new ParlorClient("http://[", { WebSocket: FakeSocket }), TypeError);
  });

  test("without a WebSocket the error says what to give", () => {
    assert.throws(() => connect("/ws", { WebSocket: null, base: BASE }), /option `WebSocket`/);
  });
});

describe("frames", () => {
  test("data and channel are absent where they are not given", () => {
    assert.equal(encodeFrame("tick"), '{"type":"tick"}');
    assert.equal(encodeFrame("tick", null), '{"type":"tick","data":null}');
    assert.equal(encodeFrame("tick", 0, "news"), '{"type":"tick","channel":"news","data":0}');
  });

  test("an event without a name and data that is no JSON are errors of the caller", () => {
    const made = opened();
    const ring = {};
    ring.ring = ring;
    assert.throws(() => made.emit(""), TypeError);
    assert.throws(() => made.emit("a", ring), TypeError);
    assert.throws(() => made.emit("a", {}, 7), TypeError);
    assert.deepEqual(FakeSocket.last.sent, []);
  });

  test("listeners get the whole data and what it is", () => {
    const made = opened();
    const heard = [];
    made.on("chat.message", (data, about) => heard.push([data, about]));
    made.onAny((data, about) => heard.push(["any", about.type]));
    FakeSocket.last.receive(event("chat.message", { text: "hi" }, "news"));
    FakeSocket.last.receive(event("other"));
    assert.deepEqual(heard, [
      [{ type: "chat.message", text: "hi" }, { type: "chat.message", channel: "news" }],
      ["any", "chat.message"],
      ["any", "other"],
    ]);
  });

  test("what is no event reaches only the frame listeners", () => {
    const made = opened();
    const frames = [];
    made.onAny(() => assert.fail("no event came"));
    made.onFrame((direction, text) => frames.push(`${direction} ${text}`));
    for (const text of ['{"type":"pong"}', "no json", "7", "null", '{"type":"event","data":{}}']) {
      FakeSocket.last.receive(text);
    }
    made.emit("tick");
    assert.equal(frames.length, 6);
    assert.equal(frames.at(-1), 'out {"type":"tick"}');
  });

  test("off takes one listener away, or all of an event", () => {
    const made = opened();
    const heard = [];
    const first = () => heard.push("first");
    const undo = made.on("a", () => heard.push("second"));
    made.on("a", first);
    made.off("a", first);
    FakeSocket.last.receive(event("a"));
    undo();
    made.on("a", first);
    made.off("a");
    FakeSocket.last.receive(event("a"));
    assert.deepEqual(heard, ["second"]);
  });

  test("a listener that throws does not keep the next from hearing", () => {
    const complaints = mock.method(console, "error", () => {});
    const made = opened();
    let heard = 0;
    made.on("a", () => {
      throw new Error("mine");
    });
    made.on("a", () => (heard += 1));
    FakeSocket.last.receive(event("a"));
    assert.equal(heard, 1);
    assert.equal(complaints.mock.callCount(), 1);
    complaints.mock.restore();
  });
});

describe("the queue", () => {
  test("what is emitted before the connection is open is sent in order once it is", async () => {
    const made = client();
    assert.equal(made.emit("a"), true);
    assert.equal(made.emit("b", { n: 1 }), true);
    assert.equal(made.queued, 2);
    made.onState(({ state }) => state === "open" && made.emit("c"));
    FakeSocket.last.open();
    await made.ready;
    assert.deepEqual(FakeSocket.last.sent, ['{"type":"a"}', '{"type":"b","data":{"n":1}}', '{"type":"c"}']);
    assert.equal(made.queued, 0);
  });

  test("it holds no more than its bound: a further emit returns false and is never sent", () => {
    const made = client({ queueLimit: 2 });
    assert.deepEqual([made.emit("a"), made.emit("b"), made.emit("c")], [true, true, false]);
    FakeSocket.last.open();
    assert.deepEqual(FakeSocket.last.sent, ['{"type":"a"}', '{"type":"b"}']);
  });

  test("by default a hundred frames wait", () => {
    const made = client();
    for (let n = 0; n < 100; n += 1) assert.equal(made.emit("a", n), true);
    assert.equal(made.emit("a", 100), false);
  });

  test("a stalled socket makes emit refuse instead of holding more", () => {
    const made = opened({ bufferLimit: 1000 });
    FakeSocket.last.bufferedAmount = 1001;
    assert.equal(made.emit("a"), false);
    FakeSocket.last.bufferedAmount = 1000;
    assert.equal(made.emit("a"), true);
  });

  test("while the connection is lost, frames wait for the next one", () => {
    const made = opened();
    FakeSocket.last.drop();
    assert.equal(made.emit("a"), true);
    pass(DEFAULTS.baseDelayMs);
    FakeSocket.last.open();
    assert.deepEqual(FakeSocket.last.sent, ['{"type":"a"}']);
  });
});

describe("reconnecting", () => {
  test("each wait is a random part of a ceiling that doubles up to its bound", () => {
    const ceilings = [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000];
    ceilings.forEach((ceiling, attempt) => {
      assert.equal(backoffDelay(attempt, 1006, DEFAULTS, () => 0), 0);
      assert.equal(backoffDelay(attempt, 1006, DEFAULTS, () => 0.5), ceiling / 2);
    });
    assert.equal(backoffDelay(5000, 1006, DEFAULTS, () => 1), 30000);
  });

  test("a restart spreads its clients wider, policy and try-later wait longer", () => {
    assert.equal(backoffDelay(0, 1012, DEFAULTS, () => 0.5), 1000);
    assert.equal(backoffDelay(4, 1012, DEFAULTS, () => 0.5), 4000);
    assert.equal(backoffDelay(0, 1008, DEFAULTS, () => 0.5), 5250);
    assert.equal(backoffDelay(0, 1013, DEFAULTS, () => 0), 5000);
  });

  for (const code of [1001, 1006, 1008, 1009, 1011, 1012, 1013, 4001]) {
    test(`a connection that ends with ${code} comes back`, () => {
      const made = opened();
      FakeSocket.last.drop(code);
      assert.equal(made.state, "waiting");
      pass(6_000);
      assert.equal(FakeSocket.made.length, 2);
    });
  }

  test("after 1000 it does not, and ready is rejected with the reason", async () => {
    const made = opened();
    FakeSocket.last.drop(1000, "bye");
    assert.equal(made.state, "closed");
    pass(60_000);
    assert.equal(FakeSocket.made.length, 1);
    await assert.rejects(made.ready, /closed: 1000 bye/);
    assert.equal(made.emit("a"), false);
  });

  test("after close() it does not, and what was queued is dropped", () => {
    const made = client();
    made.emit("a");
    FakeSocket.last.drop();
    made.close();
    pass(60_000);
    assert.equal(FakeSocket.made.length, 1);
    assert.deepEqual([made.state, made.queued], ["closed", 0]);
  });

  test("close() tells the socket code and reason, once", () => {
    const made = opened();
    const states = [];
    made.onState(({ state, close }) => states.push([state, close.code]));
    made.close(3000, "enough");
    made.close();
    assert.deepEqual(FakeSocket.last.closedWith, { code: 3000, reason: "enough" });
    FakeSocket.last.drop(1006);
    assert.deepEqual(states, [["closed", 3000]]);
  });

  test("shouldReconnect decides, and is told whether the connection had opened", () => {
    const asked = [];
    const made = client({ shouldReconnect: (close, attempt) => asked.push([close.opened, attempt]) < 2 });
    FakeSocket.last.drop();
    pass(DEFAULTS.baseDelayMs);
    FakeSocket.last.open();
    FakeSocket.last.drop(4001);
    assert.deepEqual(asked, [[false, 0], [true, 1]]);
    assert.equal(made.state, "closed");
  });

  test("a connection that dies young goes on with the back-off, a good one begins it anew", () => {
    const made = opened({ stableAfterMs: 5000 });
    const waits = [];
    made.onState(({ delayMs }) => delayMs !== undefined && waits.push(delayMs));
    for (const livedMs of [0, 4999, 5000]) {
      pass(livedMs);
      FakeSocket.last.drop();
      pass(waits.at(-1));
      FakeSocket.last.open();
    }
    assert.deepEqual(waits, [250, 500, 250]);
  });

  test("an attempt that does not open in time counts as failed", () => {
    const made = client({ connectTimeoutMs: 1000 });
    const lost = [];
    made.onState(({ close }) => close && lost.push(close.reason));
    pass(1000);
    assert.equal(made.state, "waiting");
    assert.deepEqual(lost, ["not open within 1000 ms"]);
    FakeSocket.made[0].open(); // too late: nobody listens
    assert.equal(made.state, "waiting");
  });

  test("retry() does not wait", () => {
    const made = opened();
    FakeSocket.last.drop(1013);
    made.retry();
    assert.deepEqual([made.state, FakeSocket.made.length], ["connecting", 2]);
    pass(10_000);
    assert.equal(FakeSocket.made.length, 2);
  });

  test("ready is fulfilled again after each reconnect", async () => {
    const made = opened();
    await made.ready;
    FakeSocket.last.drop();
    let back = false;
    const ready = made.ready.then(() => (back = true));
    await Promise.resolve();
    assert.equal(back, false);
    pass(DEFAULTS.baseDelayMs);
    FakeSocket.last.open();
    await ready;
    assert.equal(back, true);
  });

  test("a constructor that throws later on counts as a failed attempt", () => {
    let calls = 0;
    const made = client({
      query: () => {
        calls += 1;
        if (calls === 2) throw new Error("no token");
        return {};
      },
    });
    const reasons = [];
    made.onState(({ close }) => close && reasons.push(close.reason));
    FakeSocket.last.drop();
    pass(250);
    pass(500);
    assert.deepEqual(reasons, ["", "no token"]);
    assert.equal(FakeSocket.made.length, 2);
    assert.equal(made.state, "connecting");
  });
});

describe("the keepalive", () => {
  const ping = '{"type":"ping"}';

  test("a ping goes out every interval, and a pong keeps the connection", () => {
    const made = opened({ pingIntervalMs: 1000, pongTimeoutMs: 400 });
    for (let n = 1; n <= 3; n += 1) {
      pass(1000);
      assert.equal(FakeSocket.last.sent.length, n);
      FakeSocket.last.receive({ type: "pong" });
    }
    assert.deepEqual(FakeSocket.last.sent, [ping, ping, ping]);
    assert.equal(made.state, "open");
  });

  test("silence after a ping means a dead line: it is left without waiting for its close", () => {
    const made = opened({ pingIntervalMs: 1000, pongTimeoutMs: 400 });
    const lost = [];
    made.onState(({ state, close }) => state === "waiting" && lost.push([close.code, close.reason]));
    pass(1399);
    assert.equal(made.state, "open");
    pass(1);
    assert.deepEqual(lost, [[1006, "nothing within 400 ms of a ping"]]);
    assert.ok(FakeSocket.made[0].closedWith);
    pass(500);
    assert.equal(FakeSocket.made.length, 2);
  });

  test("any frame counts as an answer", () => {
    const made = opened({ pingIntervalMs: 1000, pongTimeoutMs: 400 });
    pass(1000);
    FakeSocket.last.receive(event("news"));
    pass(900);
    assert.equal(made.state, "open");
  });

  test("a deadline longer than the interval is not moved by later pings", () => {
    const made = opened({ pingIntervalMs: 1000, pongTimeoutMs: 2500 });
    pass(3499);
    assert.deepEqual([made.state, FakeSocket.last.sent.length], ["open", 3]);
    pass(1);
    assert.equal(made.state, "waiting");
  });

  test("an interval of 0 means none", () => {
    opened({ pingIntervalMs: 0 });
    pass(600_000);
    assert.deepEqual(FakeSocket.last.sent, []);
  });
});

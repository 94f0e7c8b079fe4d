// client.js without a browser: requests and their acknowledgements, what the room asks, and bytes.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { encodeFrame } from "../../../host/pages/client.js";
import { FakeSocket, client, fakeTime, pass, realTime } from "./fakes.mjs";

function opened(options) {
  const made = client(options);
  FakeSocket.last.open();
  return made;
}

/** What was sent, as values. */
function sent() {
  return FakeSocket.last.sent.map((text) => JSON.parse(text));
}

/** What becomes of a promise, at once: `["fulfilled", value]` or `["rejected", code]`, or nothing yet. */
function watch(promise) {
  const seen = [];
  promise.then((value) => seen.push("fulfilled", value), (error) => seen.push("rejected", error.code, error.message));
  return seen;
}

/** Lets promises run. */
async function settle() {
  for (let turns = 0; turns < 10; turns += 1) await null;
}

const BYTES = Uint8Array.of(0, 255, 128);

beforeEach(fakeTime);
afterEach(realTime);

describe("requests", () => {
  test("each has a number of its own, and gets the acknowledgement with that", async () => {
    const made = opened();
    const [first, second] = [made.request("sum", [1, 2]), made.request("note", undefined, { channel: "news" })].map(watch);
    assert.deepEqual(sent(), [{ type: "sum", data: [1, 2], id: 1 }, { type: "note", channel: "news", id: 2 }]);
    FakeSocket.last.receive({ type: "ack", id: 2 });
    FakeSocket.last.receive({ type: "ack", id: 1, data: 3 });
    FakeSocket.last.receive({ type: "ack", id: 1, data: "twice" });
    FakeSocket.last.receive({ type: "ack", id: 99, data: "nobody asked" });
    await settle();
    assert.deepEqual([first, second], [["fulfilled", 3], ["fulfilled", undefined]]);
  });

  test("an acknowledgement is no event", () => {
    const made = opened();
    made.onAny(() => assert.fail("no event came"));
    FakeSocket.last.receive({ type: "ack", id: 1, data: { type: "event" } });
  });

  test("a failed turn rejects with its code, and its words where it has some", async () => {
    const made = opened();
    const seen = [made.request("a"), made.request("b")].map(watch);
    FakeSocket.last.receive({ type: "ack", id: 1, error: { code: "chat.empty", message: "say something first" } });
    FakeSocket.last.receive({ type: "ack", id: 2, error: { code: "trap" } });
    await settle();
    assert.deepEqual(seen, [["rejected", "chat.empty", "say something first"], ["rejected", "trap", "the request failed: trap"]]);
  });

  test("the time runs out, and a later acknowledgement is ignored", async () => {
    const made = opened({ requestTimeoutMs: 500, pingIntervalMs: 0 });
    const [usual, own, patient] = [made.request("a"), made.request("a", 1, { timeoutMs: 100 }), made.request("a", 1, { timeoutMs: 0 })].map(watch);
    pass(100);
    await settle();
    assert.deepEqual([usual, own], [[], ["rejected", "timeout", "no acknowledgement within 100 ms"]]);
    pass(400);
    FakeSocket.last.receive({ type: "ack", id: 1, data: "late" });
    pass(600_000);
    FakeSocket.last.receive({ type: "ack", id: 3, data: "at last" });
    await settle();
    assert.deepEqual([usual[1], patient], ["timeout", ["fulfilled", "at last"]]);
  });

  test("one that waits in the queue is sent when the socket opens, unless its time ran out", async () => {
    const made = client();
    const [late, soon] = [made.request("late", 1, { timeoutMs: 50 }), made.request("soon")].map(watch);
    pass(50);
    assert.equal(made.queued, 1);
    FakeSocket.last.open();
    assert.deepEqual(sent(), [{ type: "soon", id: 2 }]);
    FakeSocket.last.receive({ type: "ack", id: 2, data: 7 });
    await settle();
    assert.deepEqual([late[1], soon], ["timeout", ["fulfilled", 7]]);
  });

  test("where the socket breaks, what was sent is rejected; what was queued is still sent", async () => {
    const made = opened();
    const lost = watch(made.request("lost"));
    FakeSocket.last.drop();
    const kept = watch(made.request("kept"));
    await settle();
    assert.deepEqual([lost[1], kept], ["closed", []]);
    made.retry();
    FakeSocket.last.open();
    assert.deepEqual(sent(), [{ type: "kept", id: 2 }]);
    FakeSocket.last.receive({ type: "ack", id: 1, data: "of another socket" });
    FakeSocket.last.receive({ type: "ack", id: 2 });
    await settle();
    assert.deepEqual(kept, ["fulfilled", undefined]);
  });

  test("close() rejects all, and a closed client refuses, as one does whose queue is full", async () => {
    const made = client({ queueLimit: 1 });
    const seen = [made.request("queued"), made.request("too many")].map(watch);
    made.close();
    seen.push(watch(made.request("behind")));
    await settle();
    assert.deepEqual(seen.map(([, code]) => code), ["closed", "refused", "refused"]);
    const kept = [opened()].map((one) => watch(one.request("sent")));
    FakeSocket.last.drop(1000);
    await settle();
    assert.equal(kept[0][1], "closed");
  });

  test("data that is no JSON rejects, and nothing is sent", async () => {
    const made = opened();
    await assert.rejects(made.request("a", { bytes: BYTES }), TypeError);
    await assert.rejects(made.request(""), TypeError);
    assert.deepEqual(sent(), []);
  });
});

describe("what the room asks", () => {
  function ask(type, id, more = {}) {
    FakeSocket.last.receive({ type: "event", channel: "news", data: { type, ...more }, id });
  }

  test("what the answerer returns, or its promise comes to, is the answer", async () => {
    const made = opened();
    const heard = [];
    made.on("ready?", (data) => heard.push(data.game));
    made.onAsk("ready?", (data, about) => `${data.game} in ${about.channel}`);
    made.onAsk("later?", async () => null);
    made.onAsk("empty?", () => {});
    made.onAsk("bytes?", () => BYTES);
    ask("ready?", 4, { game: "chess" });
    for (const [at, name] of ["later?", "empty?", "bytes?", "unknown?"].entries()) ask(name, at + 5);
    await settle();
    const by = (a, b) => a.id - b.id;
    assert.deepEqual(sent().sort(by), [
      { type: "ack", id: 4, data: "chess in news" },
      { type: "ack", id: 5, data: null },
      { type: "ack", id: 6 },
      { type: "ack", id: 7, base64: "AP+A" },
    ]);
    assert.deepEqual(heard, ["chess"]);
  });

  test("an event that does not ask is for listeners alone", async () => {
    const made = opened();
    made.onAsk("a", () => assert.fail("nobody asked"));
    ask("a", undefined);
    await settle();
    assert.deepEqual(sent(), []);
  });

  test("the last answerer counts, until it is undone", async () => {
    const made = opened();
    const first = made.onAsk("a", () => 1);
    const second = made.onAsk("a", () => 2);
    first();
    ask("a", 1);
    await settle();
    second();
    ask("a", 2);
    await settle();
    assert.deepEqual(sent(), [{ type: "ack", id: 1, data: 2 }]);
    assert.throws(() => made.onAsk("a", "no function"), TypeError);
  });

  test("an answerer that throws, or answers with what is no JSON, does not answer", async () => {
    const complaints = mock.method(console, "error", () => {});
    const made = opened();
    made.onAsk("throws", () => {
      throw new Error("mine");
    });
    made.onAsk("rejects", () => Promise.reject(new Error("mine")));
    made.onAsk("big", () => 1n);
    for (const [at, name] of ["throws", "rejects", "big"].entries()) ask(name, at);
    await settle();
    assert.deepEqual([sent(), complaints.mock.callCount()], [[], 3]);
    complaints.mock.restore();
  });

  test("an answer does not go to another socket than the one that was asked", async () => {
    const made = opened();
    let answer;
    made.onAsk("a", () => new Promise((resolve) => (answer = resolve)));
    ask("a", 1);
    FakeSocket.last.drop();
    made.retry();
    FakeSocket.last.open();
    answer(1);
    await settle();
    assert.deepEqual(sent(), []);
  });
});

describe("bytes", () => {
  test("are base64 in the place of the data", () => {
    assert.equal(encodeFrame("a", BYTES, "news"), '{"type":"a","channel":"news","base64":"AP+A"}');
    assert.throws(() => encodeFrame("a", [{ deep: BYTES }]), /not within it/);
    assert.equal(JSON.parse(encodeFrame("a", new Uint8Array(60_000))).base64.length, 80_000);
  });

  test("arrive as the data, and anywhere in it", () => {
    const made = opened();
    const heard = [];
    made.onAny((data) => heard.push(data));
    const data = (more) => FakeSocket.last.receive({ type: "event", channel: "default", data: { type: "a", ...more } });
    data({ base64: "AP+A" });
    data({ deep: [{ base64: "AP+A" }, { base64: "" }] });
    assert.deepEqual(heard, [{ type: "a", data: BYTES }, { type: "a", deep: [BYTES, new Uint8Array()] }]);
    assert.ok(heard[0].data instanceof Uint8Array);
  });

  test("what only looks like bytes stays what it is", () => {
    const made = opened();
    const heard = [];
    made.onAny(({ type: _, ...data }) => heard.push(data));
    const alike = [{ base64: "AP+A", more: 1 }, { a: { base64: "AP+A", more: 1 } }, { a: { base64: 1 } }, { a: { base64: "no base64!" } }, { base64: "no base64!" }];
    for (const data of alike) FakeSocket.last.receive({ type: "event", channel: "default", data: { type: "a", ...data } });
    assert.deepEqual(heard, alike);
  });

  test("are an acknowledgement, or stand in one", async () => {
    const made = opened();
    const seen = [made.request("a", BYTES), made.request("b")].map(watch);
    assert.deepEqual(sent()[0], { type: "a", base64: "AP+A", id: 1 });
    FakeSocket.last.receive({ type: "ack", id: 1, base64: "AP+A" });
    FakeSocket.last.receive({ type: "ack", id: 2, data: { it: { base64: "AP+A" } } });
    await settle();
    assert.deepEqual(seen, [["fulfilled", BYTES], ["fulfilled", { it: BYTES }]]);
  });
});

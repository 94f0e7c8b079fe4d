// client.js without a browser: a session that outlives its line.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { DEFAULTS } from "../../../host/pages/client.js";
import { FakeSocket, client, fakeTime, pass, realTime } from "./fakes.mjs";

/** A client whose server keeps sessions, and what it heard. */
function opened(options) {
  const made = client(options);
  FakeSocket.last.open();
  FakeSocket.last.receive({ type: "session", id: "one", resumed: false });
  const heard = [];
  made.onState(({ state, resumed }) => state === "open" && heard.push(`open ${resumed}`));
  made.onLost(() => heard.push("lost"));
  made.onAny((data) => heard.push(data.type));
  return { made, heard };
}

/** The line breaks, and another one opens. */
function nextLine() {
  FakeSocket.last.drop();
  pass(DEFAULTS.maxDelayMs);
  FakeSocket.last.open();
}

function query() {
  return Object.fromEntries(new URL(FakeSocket.last.url).searchParams);
}

function event(type) {
  return { type: "event", channel: "default", data: { type } };
}

const types = () => FakeSocket.last.sent.map((text) => JSON.parse(text).type);

beforeEach(fakeTime);
afterEach(realTime);

describe("a session", () => {
  test("goes on over the next line: what was not taken is sent again, and once", () => {
    const { made, heard } = opened();
    assert.deepEqual(query(), { resume: "" });
    for (const type of ["a", "b", "c"]) made.emit(type);
    FakeSocket.last.receive(event("first"));
    FakeSocket.last.receive({ type: "pong" }); // counts for nobody
    nextLine();
    assert.deepEqual(query(), { resume: "one", got: "1" });
    made.emit("d");
    assert.deepEqual([made.state, types()], ["connecting", []], "nothing before the server has spoken");
    FakeSocket.last.receive(event("missed"));
    FakeSocket.last.receive({ type: "pong" }); // of a ping over the last line
    FakeSocket.last.receive({ type: "session", id: "two", resumed: true, heard: 2 });
    assert.deepEqual([made.state, made.resumed, types()], ["open", true, ["c", "d"]]);
    assert.deepEqual(heard, ["first", "missed", "open true"]);
    nextLine();
    assert.deepEqual(query(), { resume: "two", got: "2" });
    FakeSocket.last.receive({ type: "session", id: "three", resumed: true, heard: 4 });
    assert.deepEqual(types(), []);
  });

  test("is waited for as long as frames of the backlog arrive", () => {
    const { made } = opened();
    nextLine();
    const line = FakeSocket.last;
    for (let frame = 0; frame < 3; frame += 1) {
      pass(DEFAULTS.connectTimeoutMs - 1);
      line.receive(event("missed"));
    }
    line.receive({ type: "session", id: "two", resumed: true, heard: 0 });
    assert.deepEqual([made.state, made.resumed, FakeSocket.last === line], ["open", true, true]);
    nextLine();
    FakeSocket.last.receive(event("missed"));
    pass(DEFAULTS.connectTimeoutMs);
    assert.equal(made.state, "waiting", "a line that brings nothing more is given up");
  });

  test("goes on where a late attempt took it over from the line that is open", () => {
    const { made } = opened();
    FakeSocket.last.drop(1012, "the socket goes on over another line");
    pass(DEFAULTS.maxDelayMs);
    FakeSocket.last.open();
    assert.deepEqual(query(), { resume: "one", got: "0" });
    FakeSocket.last.receive({ type: "session", id: "two", resumed: true, heard: 0 });
    assert.deepEqual([made.state, made.resumed], ["open", true]);
  });

  test("that is gone is followed by another, and the page hears that something is missing", () => {
    const { made, heard } = opened();
    made.emit("sent");
    FakeSocket.last.drop();
    made.emit("queued");
    pass(DEFAULTS.maxDelayMs);
    FakeSocket.last.open();
    FakeSocket.last.receive({ type: "session", id: "other", resumed: false });
    assert.deepEqual([heard, made.resumed, types()], [["lost", "open false"], false, ["queued"]]);
    nextLine();
    assert.deepEqual(query(), { resume: "other", got: "0" });
    FakeSocket.last.receive({ type: "session", id: "next", resumed: true, heard: 0 });
    assert.deepEqual(types(), ["queued"], "a new session counts anew");
  });

  test("keeps requests: the acknowledgement comes over the next line", async () => {
    const { made } = opened();
    const asked = made.request("ask", undefined, { timeoutMs: 0 });
    nextLine();
    FakeSocket.last.receive({ type: "ack", id: 1, data: "answer" });
    FakeSocket.last.receive({ type: "session", id: "two", resumed: true, heard: 1 });
    assert.equal(await asked, "answer");
    const lost = made.request("ask", undefined, { timeoutMs: 0 });
    nextLine();
    FakeSocket.last.receive({ type: "session", id: "three", resumed: false });
    await assert.rejects(lost, ({ code }) => code === "closed");
  });

  test("keeps what was sent until a pong says that it was taken", () => {
    const { made } = opened({ queueLimit: 1_000 });
    for (let n = 0; n < 64; n += 1) made.emit("n", n);
    assert.equal(types().at(-1), "ping", "after so many the client asks");
    made.emit("late");
    FakeSocket.last.receive({ type: "pong" });
    nextLine();
    FakeSocket.last.receive({ type: "session", id: "two", resumed: true, heard: 64 });
    assert.deepEqual(types(), ["late"]);
  });

  test("a bare ping of the page's own counts for nobody", () => {
    const { made } = opened();
    for (const data of [undefined, null]) made.emit("ping", data);
    made.emit("ping", {});
    nextLine();
    FakeSocket.last.receive({ type: "session", id: "two", resumed: true, heard: 0 });
    assert.deepEqual(FakeSocket.last.sent, ['{"type":"ping","data":{}}']);
  });

  test("that a server cannot keep is none: the client is as it ever was", () => {
    const made = client();
    const heard = [];
    made.onLost(() => heard.push("lost"));
    made.emit("early");
    FakeSocket.last.open();
    FakeSocket.last.receive(event("first"));
    made.emit("sent");
    nextLine();
    assert.deepEqual([made.state, types(), query(), heard], ["open", [], {}, ["lost"]]);
  });

  test("that the server keeps no longer ends, and the client asks no more", () => {
    const { made, heard } = opened();
    nextLine();
    FakeSocket.last.receive({ type: "session", resumed: false });
    assert.deepEqual([made.state, heard], ["open", ["lost", "open false"]]);
    nextLine();
    assert.deepEqual(query(), {});
  });

  test("whose server says nothing in time is tried again", () => {
    const { made } = opened({ connectTimeoutMs: 1_000 });
    nextLine();
    pass(1_000);
    assert.equal(made.state, "waiting");
    pass(DEFAULTS.maxDelayMs);
    assert.deepEqual(query(), { resume: "one", got: "0" });
  });

  test("an answer to an ask comes over the next line of the session, and over none of another", async () => {
    const { made } = opened();
    const answers = [];
    made.onAsk("ask", () => new Promise((resolve) => answers.push(resolve)));
    const ask = { ...event("ask"), id: 7 };
    FakeSocket.last.receive(ask);
    nextLine();
    FakeSocket.last.receive({ type: "session", id: "two", resumed: true, heard: 0 });
    answers.pop()("yes");
    for (let turns = 0; turns < 10; turns += 1) await null;
    assert.deepEqual(FakeSocket.last.sent, ['{"type":"ack","data":"yes","id":7}']);
    FakeSocket.last.receive(ask);
    nextLine();
    FakeSocket.last.receive({ type: "session", id: "three", resumed: false });
    answers.pop()("late");
    for (let turns = 0; turns < 10; turns += 1) await null;
    assert.deepEqual(FakeSocket.last.sent, []);
  });

  test("nobody asks for one where the page wants none", () => {
    const made = client({ resume: false });
    FakeSocket.last.open();
    made.emit("sent");
    nextLine();
    assert.deepEqual([query(), types()], [{}, []]);
  });
});

// client.js without a browser: what it missed of channels whose history is kept.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { DEFAULTS } from "../../../host/pages/client.js";
import { FakeSocket, client, fakeTime, pass, realTime } from "./fakes.mjs";

const event = (n, at, channel = "default") => ({ type: "event", channel, data: { type: "said", n }, at });

/** A client, and what it heard. */
function opened(options) {
  const made = client(options);
  const heard = [];
  made.onHistory(({ channel, recovered, events }) => heard.push([channel, recovered, events.map(({ data, at }) => [data.n, at])]));
  made.on("said", ({ n }, { channel }) => heard.push(`${channel} ${n}`));
  FakeSocket.last.open();
  return { made, heard };
}

/** The line breaks, and another one opens. */
function nextLine() {
  FakeSocket.last.drop();
  pass(DEFAULTS.maxDelayMs);
  FakeSocket.last.open();
}

const since = () => new URL(FakeSocket.last.url).searchParams.getAll("since");

beforeEach(fakeTime);
afterEach(realTime);

describe("a history", () => {
  test("is asked for by what was heard last, and heard as if it came now", () => {
    const { heard } = opened();
    assert.deepEqual(since(), []);
    FakeSocket.last.receive(event(1, "e.1"));
    FakeSocket.last.receive(event(2, undefined, "news"));
    FakeSocket.last.receive(event(3, "f.7", "log:a"));
    nextLine();
    assert.deepEqual(since(), ["default:e.1", "log:a:f.7"]);
    heard.length = 0;
    FakeSocket.last.receive({ type: "history", channel: "default", recovered: true, frames: [event(4, "e.2"), event(5, "e.3")] });
    FakeSocket.last.receive(event(6, "e.4"));
    assert.deepEqual(heard, [["default", true, [[4, "e.2"], [5, "e.3"]]], "default 4", "default 5", "default 6"]);
    nextLine();
    assert.deepEqual(since(), ["log:a:f.7", "default:e.4"]);
  });

  test("that has a gap is the page's to judge", () => {
    const { heard } = opened();
    FakeSocket.last.receive(event(1, "e.1"));
    nextLine();
    heard.length = 0;
    FakeSocket.last.receive({ type: "history", channel: "default", recovered: false, frames: [event(9, "f.2")] });
    assert.deepEqual(heard, [["default", false, [[9, "f.2"]]]]);
    nextLine();
    assert.deepEqual(since(), ["default:f.2"]);
    FakeSocket.last.receive({ type: "history", channel: "default", recovered: false, frames: [] });
    nextLine();
    assert.deepEqual(since(), [], "what was heard last means nothing any more");
  });

  test("is asked for at the first connection where the page says so", () => {
    const { heard } = opened({ since: { default: "0" } });
    assert.deepEqual(since(), ["default:0"]);
    const bytes = { type: "event", channel: "default", data: { type: "said", base64: "AQI=" }, at: "e.1" };
    FakeSocket.last.receive({ type: "history", channel: "default", recovered: true, frames: [bytes, { type: "odd" }, null] });
    assert.equal(heard.length, 2);
  });
});

// client.js where the server refuses: it asks why, and ends where no further attempt can succeed.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FakeSocket, client, fakeTime, pass, realTime } from "./fakes.mjs";

beforeEach(fakeTime);
afterEach(realTime);

describe("refusals", () => {
  // A host that answers each question so; `null` does not answer.
  function refusing(...answers) {
    const asked = [];
    const fetch = async (url, init) => {
      asked.push([url, init]);
      const [status, words] = answers[Math.min(asked.length, answers.length) - 1] ?? [];
      if (status === undefined) throw new TypeError("nobody answers");
      return { status, text: async () => words };
    };
    return { fetch, asked };
  }

  const settle = async () => {
    for (let n = 0; n < 10; n += 1) await Promise.resolve();
  };

  for (const status of [400, 401, 403, 404, 410]) {
    test(`a refusal with ${status} ends with its status and its words`, async () => {
      const { fetch, asked } = refusing([status, "no such thing\n"]);
      const made = client({ fetch, room: "a~b", query: { token: "t" } });
      const states = [];
      made.onState(({ state, close }) => states.push([state, close?.status, close?.reason]));
      made.emit("never");
      FakeSocket.last.drop(1006);
      await assert.rejects(made.ready, { message: `refused: ${status} no such thing`, status, code: 1006 });
      assert.deepEqual(states, [["waiting", undefined, ""], ["closed", status, "no such thing"]]);
      pass(60_000);
      assert.deepEqual([FakeSocket.made.length, made.queued, made.emit("late")], [1, 0, false]);
      assert.equal(asked.length, 1);
      assert.equal(asked[0][0], "http://host.example/ws?resume=&room=a%7Eb&token=t");
      assert.equal(asked[0][1].credentials, "include");
    });
  }

  test("a secure address is asked securely", async () => {
    const { fetch, asked } = refusing([404, ""]);
    const made = client({ fetch, base: "https://host.example/" });
    FakeSocket.last.drop();
    await assert.rejects(made.ready, { message: "refused: 404" });
    assert.equal(asked[0][0], "https://host.example/ws?resume=");
  });

  for (const answer of [[426, "would do"], [429, "too many"], [408, ""], [500, ""], [503, "busy"], [200, "a page"], [0, ""], null]) {
    test(`after ${answer?.[0] ?? "no answer"} it comes back`, async () => {
      const { fetch, asked } = refusing(answer);
      const made = client({ fetch });
      for (let attempt = 1; attempt < 4; attempt += 1) {
        FakeSocket.last.drop();
        await settle();
        assert.equal(made.state, "waiting");
        pass(1_000);
        assert.deepEqual([FakeSocket.made.length, asked.length], [attempt + 1, attempt]);
      }
      FakeSocket.last.open();
      await made.ready;
    });
  }

  test("the next attempt waits for the answer, whichever comes last", async () => {
    let answer;
    const made = client({ fetch: () => new Promise((resolve) => (answer = resolve)) });
    FakeSocket.last.drop();
    pass(5_000);
    assert.deepEqual([made.state, FakeSocket.made.length], ["waiting", 1]);
    answer({ status: 503, text: async () => "busy" });
    await settle();
    assert.deepEqual([made.state, FakeSocket.made.length], ["connecting", 2]);
  });

  test("an answer that never comes is given up", async () => {
    const fetch = (_, { signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const made = client({ fetch, connectTimeoutMs: 2_000 });
    FakeSocket.last.drop();
    pass(2_000);
    await settle();
    assert.deepEqual([made.state, FakeSocket.made.length], ["connecting", 2]);
  });

  test("an answer that comes after retry() or close() says nothing", async () => {
    let answer;
    const made = client({ fetch: () => new Promise((resolve) => (answer = resolve)) });
    FakeSocket.last.drop();
    made.retry();
    answer({ status: 404, text: async () => "gone" });
    await settle();
    assert.equal(made.state, "connecting");
    FakeSocket.last.open();
    await made.ready;
    made.close();
    assert.equal(made.state, "closed");
  });

  test("what was open once is asked about from the eighth failure in a row", async () => {
    const { fetch, asked } = refusing([404, "gone"]);
    const made = client({ fetch });
    FakeSocket.last.open();
    pass(5_000);
    FakeSocket.last.drop(1006);
    for (let failure = 1; failure < 8; failure += 1) {
      assert.deepEqual([made.state, asked.length], ["waiting", 0]);
      pass(15_000);
      FakeSocket.last.drop(1006);
    }
    await assert.rejects(made.ready, { message: "refused: 404 gone", status: 404 });
    assert.equal(asked.length, 1);
  });
});

// The browser client against the real server: rooms that it may enter, and refusals that no further attempt changes.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setUp } from "../support/bench.mjs";
import { DESKTOP, assertQuiet, openTab } from "../support/browser.mjs";

// What a browser says by itself of a refused WebSocket and of the answer to the client's question.
const OF_THE_BROWSER = /WebSocket connection to .* failed|Failed to load resource/;

describe("a connection from a page", () => {
  const bench = setUp();

  /** Connects from a page; answers how `ready` ended, the states meanwhile, and how many sockets the page opened. */
  async function connect(address, options) {
    const tab = await openTab(await bench.newContext(DESKTOP), `${bench.url}/_parlor/`);
    const sockets = [];
    tab.on("websocket", (socket) => sockets.push(socket.url()));
    const ended = await tab.evaluate(async ([address, options]) => {
      const { connect } = await import("/_parlor/client.js");
      const client = connect(address, { baseDelayMs: 1, maxDelayMs: 50, ...options });
      const states = [];
      client.onState(({ state }) => states.push(state));
      return client.ready.then(
        () => ({ states }),
        ({ message, status }) => ({ states, message, status }),
      );
    }, [address, options]);
    assertQuiet([tab], OF_THE_BROWSER);
    return { ...ended, sockets };
  }

  test("a room may have every character that a room's id has", async () => {
    const { states, sockets } = await connect("/ws", { room: "A.b_c~d-9", query: { userId: "ana" } });
    assert.deepEqual(states, ["open"]);
    assert.ok(sockets.some((url) => url.includes("room=A.b_c%7Ed-9")), sockets.join());
  });

  for (const [address, options, status, words] of [
    ["/no-such-plugin", {}, 404, "no plugin serves this path"],
    ["/ws", { room: "two words" }, 400, "a room's id must be 1 to 128 of"],
    ["/ws", { room: "a/b" }, 400, "a room's id must be 1 to 128 of"],
    ["/ws", { room: "a%7Eb" }, 400, "a room's id must be 1 to 128 of"],
    ["/t/nobody/ws", {}, 404, "no plugin serves this path"],
  ]) {
    test(`${address} ${JSON.stringify(options)} is refused once, with ${status} and its words`, async () => {
      const ended = await connect(address, options);
      assert.equal(ended.status, status);
      assert.ok(ended.message.startsWith(`refused: ${status} ${words}`), ended.message);
      assert.deepEqual(ended.states, ["waiting", "closed"]);
      assert.equal(ended.sockets.filter((url) => !url.includes("/_parlor/")).length, 1);
    });
  }
});

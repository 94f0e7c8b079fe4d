// A line that breaks under an open page: the session goes on, and nothing is missing.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setUp } from "../support/bench.mjs";
import { PHONE, assertQuiet, newRoom, openTab } from "../support/browser.mjs";
import { Line } from "../support/server.mjs";

const BROKEN = /WebSocket connection to .* failed|Failed to load resource|net::ERR/;

describe("a line that breaks", () => {
  const bench = setUp();

  const chat = async (base, user, room) => {
    const tab = await openTab(await bench.newContext(PHONE), `${base}/_parlor/pages/chat/?user=${user}&room=${room}`);
    await tab.getByText("Connected", { exact: true }).waitFor();
    return tab;
  };
  const say = async (tab, text) => {
    await tab.getByLabel("Message as").fill(text);
    await tab.getByRole("button", { name: "Send" }).click();
  };

  test("costs a page nothing: what was said meanwhile is there, and nobody left", async () => {
    const line = await Line.to(bench.url);
    try {
      const room = newRoom();
      const ben = await chat(bench.url, "ben", room);
      const ana = await chat(line.url, "ana", room);
      await ben.getByText("ana joined").waitFor();
      line.cut();
      await ana.getByText(/Connection lost|No connection|Reconnecting/).first().waitFor();
      await say(ben, "while you were away");
      await say(ana, "and while I was");
      line.mend();
      for (const tab of [ana, ben]) {
        await tab.locator(".message").filter({ hasText: "while you were away" }).waitFor({ timeout: 30_000 });
        await tab.locator(".message").filter({ hasText: "and while I was" }).waitFor();
        assert.equal(await tab.locator(".message").count(), 2);
      }
      assert.equal(await ben.getByText("ana joined").count(), 1);
      assert.equal(await ben.getByText("ana left").count(), 0);
      assertQuiet([ana, ben], BROKEN);
    } finally {
      await line.close();
    }
  });

  const BREAKS = {
    "a line that breaks": (line) => {
      line.cut();
      line.mend();
    },
    "a line that is dead at neither end": (line) => line.stall(),
  };
  for (const [what, broken] of Object.entries(BREAKS)) test(`${what}, again and again, loses nothing and brings nothing twice`, async () => {
    const line = await Line.to(bench.url);
    try {
      const tab = await openTab(await bench.newContext(PHONE), `${line.url}/_parlor/pages/chat/?room=${newRoom()}`);
      await tab.evaluate(async (room) => {
        const { connect } = await import("/_parlor/client.js");
        const timing = { baseDelayMs: 20, maxDelayMs: 50, pingIntervalMs: 200, pongTimeoutMs: 500 };
        const client = connect("/ws", { room, query: { userId: "ana" }, queueLimit: 1_000, ...timing });
        globalThis.seen = { texts: [], opened: [], lost: 0 };
        client.onLost(() => (globalThis.seen.lost += 1));
        client.onState(({ state, resumed }) => state === "open" && globalThis.seen.opened.push(resumed));
        client.on("chat.message", ({ text }) => globalThis.seen.texts.push(Number(text)));
        await client.ready;
        let number = 0;
        const timer = setInterval(() => {
          client.emit("chat.message", { text: String(number) });
          number += 1;
          if (number === 300) clearInterval(timer);
        }, 20);
      }, newRoom());
      for (let cuts = 0; cuts < 8; cuts += 1) {
        const { length } = await tab.evaluate(() => globalThis.seen.texts);
        broken(line);
        await tab.waitForFunction((before) => globalThis.seen.texts.length >= before + 20, length, { timeout: 30_000 });
      }
      await tab.waitForFunction(() => globalThis.seen.texts.length >= 300, null, { timeout: 30_000 });
      const { texts, opened, lost } = await tab.evaluate(() => globalThis.seen);
      assert.deepEqual(texts, Array.from({ length: 300 }, (_, number) => number));
      assert.deepEqual([lost, opened[0]], [0, false]);
      assert.ok(opened.length >= 5 && opened.slice(1).every((resumed) => resumed), JSON.stringify(opened));
    } finally {
      await line.close();
    }
  });
});

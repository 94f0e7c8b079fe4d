// The page of the arena: a game in which the room ticks.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setUp } from "../support/bench.mjs";
import { PHONE, assertLabelled, assertNoSidewaysScroll, assertQuiet, newRoom, openTab } from "../support/browser.mjs";

describe("the arena page", () => {
  const bench = setUp();

  async function join(room, user) {
    const context = await bench.newContext(PHONE);
    const query = `room=${room}&user=${encodeURIComponent(user)}`;
    const tab = await openTab(context, `${bench.url}/_parlor/pages/arena/?${query}`);
    await tab.getByText("Connected", { exact: true }).waitFor();
    return tab;
  }

  const score = (tab, user) => tab.locator("#scores li").filter({ hasText: user });
  const picture = (tab) => tab.evaluate(() => document.getElementById("field").toDataURL());

  test("everybody sees who is there, and a ball that moves", async () => {
    const room = newRoom();
    const ana = await join(room, "ana");
    const ben = await join(room, "<i>ben</i>");
    // A tick comes only where somebody moves.
    await ana.keyboard.down("ArrowRight");
    await ana.keyboard.down("ArrowDown");
    await score(ana, "<i>ben</i>").waitFor();
    await score(ben, "ana").waitFor();
    const before = await picture(ben);
    await ben.waitForFunction((old) => document.getElementById("field").toDataURL() !== old, before);
    await ana.keyboard.up("ArrowRight");
    await ana.keyboard.up("ArrowDown");
    await ben.close();
    await ana.keyboard.down("ArrowLeft");
    await score(ana, "<i>ben</i>").waitFor({ state: "detached" });
    await assertNoSidewaysScroll(ana);
    await assertLabelled(ana);
    assertQuiet([ana]);
    assert.equal(await ana.locator("#best").textContent(), "0");
  });
});

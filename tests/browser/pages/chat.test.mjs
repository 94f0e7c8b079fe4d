// The page of the chat example: two tabs are two users in one room.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setUp } from "../support/bench.mjs";
import { PHONE, assertLabelled, assertNoSidewaysScroll, assertQuiet, newRoom, openTab } from "../support/browser.mjs";
import { Line } from "../support/server.mjs";

const HOSTILE = "<img src=x onerror=\"alert('got you')\"><b>bold</b>";

describe("the chat page", () => {
  const bench = setUp();

  async function join(base, room, ...users) {
    const context = await bench.newContext(PHONE);
    const tabs = [];
    for (const user of users) {
      const tab = await openTab(context, `${base}/_parlor/pages/chat/?user=${encodeURIComponent(user)}&room=${room}`);
      await connected(tab);
      tabs.push(tab);
    }
    return tabs;
  }

  const connected = (tab) => tab.getByText("Connected", { exact: true }).waitFor();
  const field = (tab) => tab.getByLabel("Message as");
  const message = (tab, text) => tab.locator(".message").filter({ hasText: text });
  const people = (tab) => tab.locator(".person").allTextContents();

  async function say(tab, text) {
    await field(tab).fill(text);
    await tab.getByRole("button", { name: "Send" }).click();
  }

  test("two tabs hear each other, and see who is here", async () => {
    const [ana, ben] = await join(bench.url, newRoom(), "ana", "ben");
    await say(ana, "hello ben");
    await message(ben, "hello ben").waitFor();
    await field(ben).fill("hello ana");
    await field(ben).press("Enter");
    await message(ana, "hello ana").waitFor();
    assert.equal(await message(ana, "hello ben").count(), 1);
    assert.match(await message(ben, "hello ben").textContent(), /^ana/);
    assert.deepEqual([await people(ana), await people(ben)], [["ana (you)", "ben"], ["ana", "ben (you)"]]);
    await ben.close();
    await ana.getByText("ben left").waitFor();
    assert.deepEqual(await people(ana), ["ana (you)"]);
    assertQuiet([ana]);
  });

  test("rooms do not hear each other", async () => {
    const [ana] = await join(bench.url, newRoom(), "ana");
    const [ben] = await join(bench.url, newRoom(), "ben");
    await say(ana, "only here");
    await message(ana, "only here").waitFor();
    await say(ben, "and only here");
    await message(ben, "and only here").waitFor();
    assert.equal(await message(ben, "only here").count(), 1);
    assert.equal(await message(ana, "only here").count(), 1);
  });

  test("typing shows at the other, and vanishes", async () => {
    const [ana, ben] = await join(bench.url, newRoom(), "ana", "ben");
    const hint = ana.getByText("ben is typing");
    await field(ben).pressSequentially("hm");
    await hint.waitFor();
    assert.equal(await ben.locator("#typing").textContent(), "");
    await hint.waitFor({ state: "detached" });
    await field(ben).pressSequentially("m");
    await hint.waitFor();
    await say(ben, "well");
    await message(ana, "well").waitFor();
    await hint.waitFor({ state: "detached" });
    assertQuiet([ana, ben]);
  });

  test("an empty message is refused in the plugin's words, and the others hear nothing", async () => {
    const [ana, ben] = await join(bench.url, newRoom(), "ana", "ben");
    await say(ana, "   ");
    const problem = ana.getByRole("alert");
    await problem.waitFor();
    assert.ok((await problem.textContent()).length > 5);
    await say(ana, "something");
    await message(ben, "something").waitFor();
    assert.equal(await ben.locator(".message").count(), 1);
    assert.equal(await problem.count(), 0);
    assertQuiet([ana, ben]);
  });

  test("hostile names and texts stay text", async () => {
    const name = "<img src=x onerror=alert(1)>";
    const [ana, evil] = await join(bench.url, newRoom(), "ana", name);
    await say(evil, HOSTILE);
    await message(ana, "got you").waitFor();
    await field(evil).pressSequentially("x");
    await ana.getByText("is typing").waitFor();
    assert.equal(await message(ana, "got you").locator(".text").textContent(), HOSTILE);
    assert.ok((await people(ana)).includes(name));
    for (const tab of [ana, evil]) assert.equal(await tab.locator("body img, body b:not([id])").count(), 0);
    assertQuiet([ana, evil]);
  });

  test("a long text without a gap does not push the page sideways", async () => {
    const [ana] = await join(bench.url, newRoom(), "ana");
    await say(ana, "w".repeat(600));
    await message(ana, "wwww").waitFor();
    await assertNoSidewaysScroll(ana);
    await assertLabelled(ana);
  });

  test("a lost connection comes back by itself, and what was said meanwhile is sent", async () => {
    const line = await Line.to(bench.url);
    try {
      const room = newRoom();
      const [ana, ben] = await join(line.url, room, "ana", "ben");
      line.cut();
      await ana.getByText(/Connection lost|No connection|Reconnecting/).waitFor();
      await say(ana, "are you still there?");
      await ana.getByText("goes out when the connection is back").waitFor();
      line.mend();
      for (const tab of [ana, ben]) await tab.getByText("You are back").waitFor({ timeout: 30_000 });
      await connected(ana);
      await message(ana, "are you still there?").waitFor();
      await say(ben, "yes");
      await message(ana, "yes").waitFor();
      assert.deepEqual(await people(ana), ["ana (you)", "ben"]);
      assertQuiet([ana, ben], /WebSocket connection to .* failed/);
    } finally {
      await line.close();
    }
  });
});

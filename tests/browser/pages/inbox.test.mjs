// The page of the inbox.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setUp } from "../support/bench.mjs";
import { PHONE, assertLabelled, assertNoSidewaysScroll, assertQuiet, newRoom, openTab } from "../support/browser.mjs";

describe("the inbox page", () => {
  const bench = setUp();

  async function join(token) {
    const context = await bench.newContext(PHONE);
    return openTab(context, `${bench.url}/_parlor/pages/inbox/?token=${token}`);
  }

  async function joined(token) {
    const tab = await join(token);
    await tab.getByText("Connected", { exact: true }).waitFor();
    return tab;
  }

  async function write(tab, to, text) {
    await tab.getByLabel("To", { exact: true }).fill(to);
    await tab.getByLabel("Note", { exact: true }).fill(text);
    await tab.getByRole("button", { name: "Send" }).click();
  }

  test("a note waits for its user, comes to all tabs, and is read in all of them", async () => {
    const [early, late] = [newRoom(), newRoom()];
    const ada = await joined("demo-ada");
    await write(ada, "bob", `<b>tea</b> ${early}`);
    await ada.locator("#sent").filter({ hasText: "bob" }).waitFor();
    const bobs = [await joined("demo-bob"), await joined("demo-bob")];
    for (const bob of bobs) await bob.getByText(`<b>tea</b> ${early}`).waitFor();
    await write(ada, "bob", late);
    for (const bob of bobs) await bob.getByText(late).waitFor();
    await ada.getByText("bob has it, on 2 devices.").waitFor();

    const note = (tab) => tab.locator("#notes li").filter({ hasText: late });
    await note(bobs[0]).getByRole("button", { name: "Mark as read" }).click();
    for (const bob of bobs) await note(bob).getByRole("button").waitFor({ state: "hidden" });
    await bobs[1].getByRole("button", { name: "Mark all as read" }).click();
    for (const bob of bobs) await bob.locator("#unread").waitFor({ state: "hidden" });
    await bobs[0].reload();
    await note(bobs[0]).waitFor();
    assert.equal(await bobs[0].locator("#notes .new").count(), 0);
    assert.equal(await ada.getByText(late).count(), 0);
    await assertNoSidewaysScroll(bobs[0]);
    await assertLabelled(bobs[0]);
    assertQuiet([ada, ...bobs]);
  });

  test("an admin's announcement reaches all, and others have no button for it", async () => {
    const [ada, bob] = [await joined("demo-ada"), await joined("demo-bob")];
    await ada.getByLabel("Note", { exact: true }).fill("<i>cake</i> at four");
    await ada.getByRole("button", { name: "Announce to everybody" }).click();
    for (const tab of [ada, bob]) await tab.getByText("Ada announces: <i>cake</i> at four").waitFor();
    assert.equal(await bob.getByRole("button", { name: "Announce to everybody" }).count(), 0);
    assertQuiet([ada, bob]);
  });

  test("what is not possible is said", async () => {
    const ada = await joined("demo-ada");
    await write(ada, "nobody", "hello");
    await ada.getByText("Not possible: there is no user nobody").waitFor();
    const stranger = await join("no-such-token");
    await stranger.getByText("Refused").waitFor();
    assertQuiet([ada]);
    assertQuiet([stranger], /WebSocket connection to .* failed/);
  });
});

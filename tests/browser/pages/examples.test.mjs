// The pages of the other examples: notifications, presence, tickets and the quiz.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setUp } from "../support/bench.mjs";
import {
  PHONE, assertLabelled, assertNoSidewaysScroll, assertQuiet, newRoom, openTab,
} from "../support/browser.mjs";

async function assertFitsAPhone(tab) {
  await assertNoSidewaysScroll(tab);
  await assertLabelled(tab);
}

describe("the notifications page", () => {
  const bench = setUp();

  async function join(...tokens) {
    const context = await bench.newContext(PHONE);
    const tabs = [];
    for (const token of tokens) {
      const tab = await openTab(context, `${bench.url}/_parlor/pages/notifications/?token=${token}`);
      await tab.getByRole("button", { name: "Connect" }).click();
      tabs.push(tab);
    }
    return tabs;
  }

  test("an admin's announcement reaches all, another's is refused", async () => {
    const [ada, bob] = await join("demo-ada", "demo-bob");
    for (const tab of [ada, bob]) await tab.getByText("Connected", { exact: true }).waitFor();
    await bob.getByLabel("Announcement").fill("I am nobody");
    await bob.getByRole("button", { name: "Announce" }).click();
    await bob.getByText("Unauthorized").waitFor();
    await ada.getByLabel("Announcement").fill("<b>tea</b> at five");
    await ada.getByRole("button", { name: "Announce" }).click();
    for (const tab of [ada, bob]) await tab.getByText("Ada announces: <b>tea</b> at five").waitFor();
    assert.equal(await ada.getByText("I am nobody").count(), 0);
    await assertFitsAPhone(bob);
    assertQuiet([ada, bob]);
  });

  test("a user hears of their inbox in all tabs, and reads it in all of them", async () => {
    const [ada, ...bobs] = await join("demo-ada", "demo-bob", "demo-bob");
    for (const tab of [ada, ...bobs]) await tab.getByText("Connected", { exact: true }).waitFor();
    await ada.getByLabel("User", { exact: true }).fill("bob");
    await ada.getByLabel("Unread").fill("3");
    await ada.getByRole("button", { name: "Tell their inbox" }).click();
    for (const bob of bobs) await bob.getByText("3 unread", { exact: true }).waitFor();
    await bobs[0].getByRole("button", { name: "Mark as read" }).click();
    for (const bob of bobs) await bob.getByText("3 unread", { exact: true }).waitFor({ state: "hidden" });
    assert.equal(await ada.getByText("Your inbox changed").count(), 0);
    assertQuiet([ada, ...bobs]);
  });

  test("a token that nobody has is refused, once", async () => {
    const [stranger] = await join("no-such-token");
    await stranger.getByText("Refused").waitFor();
    assert.ok(await stranger.getByRole("button", { name: "Connect" }).isEnabled());
    assertQuiet([stranger], /WebSocket connection to .* failed/);
  });
});

describe("the presence page", () => {
  const bench = setUp();

  async function join(user) {
    const context = await bench.newContext(PHONE);
    const tab = await openTab(context, `${bench.url}/_parlor/pages/presence/?user=${encodeURIComponent(user)}`);
    await tab.getByText("Connected", { exact: true }).waitFor();
    return tab;
  }

  const entry = (tab, user) => tab.locator("#online li").filter({ hasText: user });

  test("a user is online from the first device to the last", async () => {
    const ana = await join("ana");
    const phone = await join("<i>ben</i>");
    await entry(ana, "<i>ben</i>").getByText("online").waitFor();
    const laptop = await join("<i>ben</i>");
    await laptop.close();
    await phone.getByLabel("Type here").pressSequentially("hello");
    await entry(ana, "<i>ben</i>").getByText("online, typing…").waitFor();
    await phone.close();
    await entry(ana, "<i>ben</i>").waitFor({ state: "detached" });
    await ana.getByText("<i>ben</i> went offline").waitFor();
    await assertFitsAPhone(ana);
    assertQuiet([ana]);
  });

  test("status and typing are seen by the others", async () => {
    const [ana, ben] = [await join("ana"), await join("ben")];
    await ben.getByLabel("Status").selectOption("busy");
    await entry(ana, "ben").getByText("busy").waitFor();
    await ben.getByLabel("Type here").pressSequentially("hello");
    await entry(ana, "ben").getByText("typing…").waitFor();
    await entry(ana, "ben").getByText("typing…").waitFor({ state: "hidden" });
    assertQuiet([ana, ben]);
  });
});

describe("the tickets page", () => {
  const bench = setUp();

  async function join(room, user) {
    const context = await bench.newContext(PHONE);
    const query = `room=${room}&user=${encodeURIComponent(user)}`;
    const tab = await openTab(context, `${bench.url}/_parlor/pages/tickets/?${query}`);
    await tab.getByText("Connected", { exact: true }).waitFor();
    return tab;
  }

  const seat = (tab, words) => tab.getByRole("button", { name: words, exact: true });

  test("a seat is held, seen by the others, and bought", async () => {
    const room = newRoom();
    const [ana, ben] = [await join(room, "ana"), await join(room, "<i>ben</i>")];
    await seat(ana, "A1, free").click();
    await seat(ben, "A1, held by ana").click();
    await ben.getByText("A1 is held by ana: it may become free").waitFor();
    await seat(ana, "Buy A1").click();
    await ana.getByText("bought; your confirmation:").waitFor();
    await seat(ben, "A1, sold").waitFor();
    await seat(ben, "A2, free").click();
    await seat(ana, "A2, held by <i>ben</i>").waitFor();
    await seat(ben, "Let go of A2").click();
    await seat(ana, "A2, free").waitFor();
    await assertFitsAPhone(ana);
    assertQuiet([ana, ben]);
  });

  test("of two who want the same seat at once, one is told that the other was faster", async () => {
    const room = newRoom();
    const [ana, ben] = [await join(room, "ana"), await join(room, "ben")];
    // Both pages show it free when their wishes leave.
    const click = (tab) => tab.evaluate(() => document.querySelector('[data-seat="B2"]').click());
    await Promise.all([click(ana), click(ben)]);
    const held = seat(ana, "B2, held for you").or(seat(ana, "B2, held by ben"));
    await held.waitFor();
    const [winner, loser] = await seat(ana, "B2, held for you").isVisible() ? [ana, ben] : [ben, ana];
    await seat(winner, "Buy B2").waitFor();
    // Where the news outran the click, the page itself refuses.
    await loser.locator("#problem").filter({ hasText: /B2 is (taken: somebody was faster|held by)/ }).waitFor();
    assertQuiet([ana, ben]);
  });

  test("the keyboard reaches every seat", async () => {
    const tab = await join(newRoom(), "ana");
    await seat(tab, "A1, free").focus();
    for (const key of ["ArrowRight", "ArrowDown", "End", "ArrowRight", "Enter"]) await tab.keyboard.press(key);
    await seat(tab, "B8, held for you").waitFor();
    await tab.keyboard.press("Home");
    await tab.keyboard.press("ArrowUp");
    await tab.keyboard.press("Enter");
    await seat(tab, "Buy A1").waitFor();
    assertQuiet([tab]);
  });
});

describe("the quiz page", () => {
  const bench = setUp();
  // A quiz outlives its server: one that an earlier run left open goes on in its own room.
  const ROOM = `quiz-${Date.now()}`;

  async function join(user) {
    const context = await bench.newContext(PHONE);
    const tab = await openTab(context, `${bench.url}/_parlor/pages/quiz/?room=${ROOM}&user=${encodeURIComponent(user)}`);
    await tab.getByText("Connected", { exact: true }).waitFor();
    return tab;
  }

  test("a question is asked, answered by all, and its points are told", async () => {
    const [ana, ben] = [await join("ana"), await join("<i>ben</i>")];
    await ana.getByRole("button", { name: "Start a quiz" }).click();
    for (const tab of [ana, ben]) await tab.getByText("Question 1 of 5").waitFor();
    await ben.locator("#choices button").first().click();
    await ana.getByText("<i>ben</i> has answered").waitFor();
    await ana.locator("#choices button").first().click();
    for (const tab of [ana, ben]) await tab.locator("#choices [data-right=true]").waitFor();
    for (const tab of [ana, ben]) await tab.getByText("Question 2 of 5").waitFor();
    await assertFitsAPhone(ben);
    assertQuiet([ana, ben]);
  });
});

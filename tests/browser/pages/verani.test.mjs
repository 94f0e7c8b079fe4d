// The pages of the examples in Verani's manner: the lounge, the desks and the alerts.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setUp } from "../support/bench.mjs";
import { DESKTOP, PHONE, assertLabelled, assertNoSidewaysScroll, assertQuiet, newRoom, openTab } from "../support/browser.mjs";

describe("the examples in Verani's manner", () => {
  const bench = setUp();

  async function joined(plugin, query, viewport = PHONE) {
    const tab = await openTab(await bench.newContext(viewport), `${bench.url}/_parlor/pages/${plugin}/?${query}`);
    await tab.getByText("Connected", { exact: true }).waitFor();
    return tab;
  }

  test("in the lounge five lines are said at once, and the sixth is not", async () => {
    const [name, other, mark] = [`${newRoom().slice(-12)} a`, `${newRoom().slice(-12)} b`, newRoom()];
    const [ada, bob] = [await joined("lounge", `name=${name}`), await joined("lounge", `name=${other}`, DESKTOP)];
    const refused = ada.getByText(/Not said: one after another, please \(\d s\)\./);
    for (let line = 1; line <= 5; line += 1) {
      await ada.getByLabel("Your line").fill(`<b>${line}</b> ${mark}`);
      await ada.getByRole("button", { name: "Say", exact: true }).click();
      await bob.getByText(`<b>${line}</b> ${mark}`).waitFor();
    }
    // A slow machine has earned another line or two meanwhile. What is refused stays where it was typed.
    let line = 6;
    const outcome = (said) => Promise.race([said.waitFor().then(() => "said"), refused.waitFor().then(() => "refused")]);
    for (; line < 30; line += 1) {
      await ada.getByLabel("Your line").fill(`<b>${line}</b> ${mark}`);
      await ada.getByRole("button", { name: "Say", exact: true }).click();
      if ((await outcome(ada.getByText(`<b>${line}</b> ${mark}`))) === "refused") break;
    }
    assert.equal(await ada.getByLabel("Your line").inputValue(), `<b>${line}</b> ${mark}`);
    assert.equal(await bob.getByText(`<b>${line}</b> ${mark}`).count(), 0);
    for (const tab of [ada, bob]) {
      await assertNoSidewaysScroll(tab);
      await assertLabelled(tab);
    }
    assertQuiet([ada, bob]);
  });

  test("at the desks all devices of a user have one status", async () => {
    const user = newRoom().toLowerCase().replace(/[^a-z0-9]/g, "").slice(-12);
    const [phone, laptop] = [await joined("desks", `user=${user}`), await joined("desks", `user=${user}`, DESKTOP)];
    await phone.getByLabel("What you are doing").fill("<i>tea</i>");
    await phone.getByLabel("Status").selectOption("away");
    const desk = laptop.locator("#desks li").filter({ hasText: user });
    await desk.getByText("Away").waitFor();
    await desk.getByText("<i>tea</i> · ").waitFor();
    assert.equal(await laptop.getByLabel("Status").inputValue(), "away");
    for (const tab of [phone, laptop]) {
      await assertNoSidewaysScroll(tab);
      await assertLabelled(tab);
    }
    assertQuiet([phone, laptop]);
  });

  test("an alert waits for its user, comes to all devices, and is read on all of them", async () => {
    const name = () => newRoom().toLowerCase().replace(/[^a-z0-9]/g, "").slice(-12);
    const [from, to] = [`${name()}-a`, `${name()}-b`];
    const ada = await joined("alerts", `user=${from}`, DESKTOP);
    const send = async (title) => {
      await ada.getByLabel("To", { exact: true }).fill(to);
      await ada.getByLabel("Alert", { exact: true }).fill(title);
      await ada.getByRole("button", { name: "Send" }).click();
    };
    await send("<b>early</b>");
    await ada.getByText(`It waits for ${to}.`).waitFor();
    const bobs = [await joined("alerts", `user=${to}`), await joined("alerts", `user=${to}`, DESKTOP)];
    await bobs[0].getByText("You are here on 2 devices.").waitFor();
    await send("late");
    await ada.getByText(`${to} has it, on 2 devices.`).waitFor();
    for (const bob of bobs) await bob.getByText("late").waitFor();
    await bobs[0].getByText("<b>early</b>").waitFor();
    await bobs[1].getByRole("button", { name: "Mark all as read" }).click();
    for (const bob of bobs) await bob.locator("#unread").waitFor({ state: "hidden" });
    await assertNoSidewaysScroll(bobs[0]);
    await assertLabelled(bobs[0]);
    assertQuiet([ada, ...bobs]);
  });
});

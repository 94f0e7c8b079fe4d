// The page of the host at /_parlor/: what is served, and the playground.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setUp } from "../support/bench.mjs";
import { DESKTOP, PHONE, assertLabelled, assertNoSidewaysScroll, assertQuiet, newRoom } from "../support/browser.mjs";
import { connect, frame, frames, join, openOverview, panel, send } from "../support/playground.mjs";
import { underPath } from "../support/prefix.mjs";
import { Line } from "../support/server.mjs";

describe("the host's page", () => {
  const bench = setUp();
  const open = async (viewport = DESKTOP, base = bench.url) => openOverview(await bench.newContext(viewport), base);
  const heading = (tab, name) => tab.getByRole("heading", { name, exact: true });
  const card = (tab, plugin) => tab.locator(".card").filter({ has: heading(tab, plugin) });

  test("it lists each plugin with its path, version and events", async () => {
    const tab = await open();
    const { plugins } = await (await fetch(`${bench.url}/_parlor/api/plugins`)).json();
    assert.ok(plugins.some(({ plugin }) => plugin === "chat"), "the examples are served");
    for (const { plugin, path, version, events, pages } of plugins) {
      const box = card(tab, plugin);
      const facts = await box.locator("code").allTextContents();
      assert.deepEqual(facts, [path, version]);
      assert.deepEqual(await box.locator(".chip").allTextContents(), events);
      assert.equal(await box.getByRole("link", { name: "Open its page" }).count(), pages ? 1 : 0);
      assert.equal(await box.getByRole("link", { name: plugin, exact: true }).count(), 1);
    }
    await card(tab, "chat").getByRole("link", { name: "Open its page" }).click();
    await tab.getByText("Message as").waitFor();
    assertQuiet([tab]);
  });

  test("rooms and sockets follow what happens, and a room can be joined from its row", async () => {
    const tab = await open();
    const room = newRoom();
    await join(panel(tab, 1), room, "ana");
    await card(tab, "chat").locator("summary").click();
    const row = card(tab, "chat").getByRole("row").filter({ hasText: room });
    await row.waitFor();
    assert.deepEqual(await row.getByRole("cell").allTextContents(), ["1", "1", "Join"]);
    await row.getByRole("button").click();
    const second = panel(tab, 2);
    assert.equal(await second.getByLabel("Room").inputValue(), room);
    await second.getByRole("button", { name: "Connect", exact: true }).click();
    await row.getByRole("cell", { name: "2" }).first().waitFor();
    await second.getByRole("button", { name: "Disconnect" }).click();
    await panel(tab, 1).getByRole("button", { name: "Disconnect" }).click();
    await row.waitFor({ state: "detached" });
    assertQuiet([tab]);
  });

  test("two connections send events and show the frames both ways", async () => {
    const tab = await open();
    const [one, two] = [panel(tab, 1), panel(tab, 2)];
    const room = newRoom();
    await join(one, room, "ana");
    await join(two, room, "ben");
    await send(one, "chat.message", '{"text":"hello"}');
    await frame(two, "in", '"text":"hello"').waitFor();
    await frame(one, "in", '"text":"hello"').waitFor();
    assert.deepEqual(await frames(one, "out"), ['{"type":"chat.message","data":{"text":"hello"}}']);
    assert.deepEqual(await frames(two, "out"), []);
    const received = JSON.parse((await frames(two, "in")).at(-1));
    assert.deepEqual([received.type, received.data.type, received.data.from], ["event", "chat.message", "ana"]);
    assert.match(await frame(two, "in", '"text":"hello"').locator("time").textContent(), /^\d\d:\d\d:\d\d\.\d{3}$/);
    assertQuiet([tab]);
  });

  test("behind a proxy that serves it under a path, it asks and connects there", async () => {
    const proxy = await underPath("/rt", bench.url);
    try {
      const tab = await open(DESKTOP, proxy.url);
      const one = panel(tab, 1);
      await join(one, newRoom(), "ana");
      assert.match(await one.locator("code.address").textContent(), new RegExp(`^ws://[^/]+/rt/ws`));
      const link = await card(tab, "chat").getByRole("link", { name: "Open its page" }).getAttribute("href");
      assert.equal(new URL(link, tab.url()).pathname, "/rt/_parlor/pages/chat/");
      await tab.goto(`${proxy.url}/_parlor`);
      assert.equal(new URL(tab.url()).pathname, "/rt/_parlor/");
      await tab.getByText("Live", { exact: true }).waitFor();
      assertQuiet([tab]);
    } finally {
      await proxy.close();
    }
  });

  test("an empty data field is a frame without data, and a channel is sent along", async () => {
    const tab = await open();
    const one = panel(tab, 1);
    await join(one, newRoom(), "ana");
    await send(one, "some.event");
    await send(one, "some.event", "null", "news");
    await frame(one, "out", "news").waitFor();
    const expected = ['{"type":"some.event"}', '{"type":"some.event","channel":"news","data":null}'];
    assert.deepEqual(await frames(one, "out"), expected);
  });

  test("the registered events are suggested, hooks are not", async () => {
    const tab = await open();
    const one = panel(tab, 1);
    await one.getByLabel("Plugin").selectOption("default/chat");
    const list = await one.getByLabel("Event").getAttribute("list");
    const suggested = await tab.locator(`#${list} option`).evaluateAll((options) => options.map(({ value }) => value));
    assert.ok(suggested.includes("chat.message"));
    assert.ok(suggested.every((event) => !event.startsWith("$") && event !== "*"));
  });

  test("data that is no JSON is explained beside the field and not sent", async () => {
    const tab = await open();
    const one = panel(tab, 1);
    await join(one, newRoom(), "ana");
    await send(one, "chat.message", "{text: hello}");
    const field = one.getByLabel("Data");
    const problem = one.getByRole("alert");
    assert.match(await problem.textContent(), /^This is not JSON: /);
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    assert.ok((await field.getAttribute("aria-describedby")).includes(await problem.getAttribute("id")));
    assert.deepEqual(await frames(one, "out"), []);
    await field.fill('{"text":"better"}');
    assert.equal(await problem.count(), 0);
    await field.press("Control+Enter");
    await frame(one, "in", "better").waitFor();
    await send(one, "", "{}");
    assert.match(await problem.textContent(), /Which event/);
    assertQuiet([tab]);
  });

  test("a room id that is none is explained, and nobody connects", async () => {
    const tab = await open();
    const one = panel(tab, 1);
    await one.getByLabel("Room").fill("a b");
    assert.match(await one.getByRole("alert").textContent(), /^1 to 128 of the characters/);
    assert.ok(await one.getByRole("button", { name: "Connect", exact: true }).isDisabled());
  });

  test("a refused upgrade is told and not tried again", async () => {
    const tab = await open();
    const one = panel(tab, 1);
    await connect(one, { room: "default", query: `userId=${"u".repeat(129)}` });
    await frame(one, "note", "refused").waitFor();
    await one.getByText("Not connected").waitFor();
    assertQuiet([tab], /WebSocket connection to .* failed/);
  });

  test("hostile text stays text", async () => {
    const tab = await open();
    const one = panel(tab, 1);
    const hostile = "<img src=x onerror=alert(1)>";
    const images = await tab.locator("body img").count();
    await join(one, newRoom(), hostile);
    await send(one, "chat.message", JSON.stringify({ text: hostile }));
    await frame(one, "in", "chat.message").waitFor();
    await send(one, hostile, JSON.stringify(hostile));
    await frame(one, "out", "onerror").last().waitFor();
    assert.equal(await tab.locator("body img").count(), images);
    assertQuiet([tab]);
  });

  test("a host that is away is told of, and the page is live again when it is back", async () => {
    const line = await Line.to(bench.url);
    try {
      const tab = await open(DESKTOP, line.url);
      const room = newRoom();
      await join(panel(tab, 1), room, "ana");
      line.cut();
      await tab.getByText(/^Not up to date/).waitFor();
      await frame(panel(tab, 1), "note", "lost").first().waitFor();
      line.mend();
      await tab.getByText("Live", { exact: true }).waitFor();
      await panel(tab, 1).getByText("Connected", { exact: true }).waitFor({ timeout: 30_000 });
      assertQuiet([tab], /WebSocket connection to .* failed|Failed to load resource|net::ERR/);
    } finally {
      await line.close();
    }
  });

  test("connections can be added and removed", async () => {
    const tab = await open();
    const add = tab.getByRole("button", { name: "Add a connection" });
    for (let number = 3; number <= 6; number += 1) {
      await add.click();
      await panel(tab, number).waitFor();
    }
    assert.ok(await add.isDisabled());
    await join(panel(tab, 3), newRoom(), "ana");
    for (let number = 6; number >= 2; number -= 1) {
      await tab.getByRole("button", { name: `Remove connection ${number}` }).click();
    }
    assert.equal(await tab.locator(".panel").count(), 1);
    assert.equal(await tab.getByRole("button", { name: "Remove connection 1" }).count(), 0);
    assertQuiet([tab]);
  });

  test("it works from the keyboard alone", async () => {
    const tab = await open();
    await tab.getByRole("button", { name: "Try chat in the playground" }).press("Enter");
    assert.equal(await tab.evaluate(() => document.activeElement.textContent), "Connect");
    await tab.keyboard.press("Shift+Tab");
    await tab.keyboard.press("Shift+Tab");
    assert.equal(await tab.evaluate(() => document.activeElement.labels[0].textContent), "Room");
    await tab.keyboard.press("Control+A");
    await tab.keyboard.type(newRoom());
    await tab.keyboard.press("Enter");
    await panel(tab, 1).getByText("Connected", { exact: true }).waitFor();
    await panel(tab, 1).getByLabel("Event").focus();
    await tab.keyboard.type("chat.message");
    await tab.keyboard.press("Tab");
    await tab.keyboard.press("Tab");
    await tab.keyboard.type('{"text":"no mouse"}');
    await tab.keyboard.press("Control+Enter");
    await frame(panel(tab, 1), "in", "no mouse").waitFor();
  });

  for (const colorScheme of ["light", "dark"]) {
    test(`on a phone nothing scrolls sideways, and every field has a label (${colorScheme})`, async () => {
      const tab = await open(PHONE);
      await tab.emulateMedia({ colorScheme });
      const one = panel(tab, 1);
      await join(one, newRoom(), "ana");
      await send(one, "chat.message", JSON.stringify({ text: "w".repeat(900) }));
      await frame(one, "in", "wwww").waitFor();
      await card(tab, "chat").locator("summary").click();
      await assertNoSidewaysScroll(tab);
      await assertLabelled(tab);
      assertQuiet([tab]);
    });
  }
});

// The pages of the examples by either client: Parlor's own, and the stock client of Socket.IO.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setUp } from "../support/bench.mjs";
import { DESKTOP, PHONE, assertNoSidewaysScroll, assertQuiet, newRoom, openTab } from "../support/browser.mjs";
import { Line } from "../support/server.mjs";

const BY_SOCKET_IO = "client=socket.io";
const PAGES = ["alerts", "chat", "desks", "inbox", "lounge", "notifications", "presence", "tickets", "whiteboard"];
const MODULE = "**/node_modules/socket.io-client/dist/socket.io.esm.min.js";

describe("a page of the examples", () => {
  const bench = setUp();

  async function open(plugin, query, { base = bench.url, viewport = PHONE } = {}) {
    const tab = await openTab(await bench.newContext(viewport), `${base}/_parlor/pages/${plugin}/?${query}`);
    if (plugin === "notifications") await tab.getByRole("button", { name: "Connect" }).click();
    return tab;
  }

  async function joined(plugin, query, options) {
    const tab = await open(plugin, query, options);
    await tab.getByText("Connected", { exact: true }).waitFor();
    return tab;
  }

  const toSocketIo = (tab) => tab.getByRole("link", { name: "Use Socket.IO’s client" });
  const toOurs = (tab) => tab.getByRole("link", { name: "Use client.js" });

  async function say(tab, text) {
    await tab.getByLabel("Message as").fill(text);
    await tab.getByRole("button", { name: "Send" }).click();
  }
  const message = (tab, text) => tab.locator(".message").filter({ hasText: text });

  for (const plugin of PAGES) {
    test(`${plugin} connects by the client that its link chooses, and looks right with both`, async () => {
      for (const viewport of [PHONE, DESKTOP]) {
        const tab = await joined(plugin, "", { viewport });
        const asked = [];
        tab.on("request", (request) => asked.push(new URL(request.url()).pathname));
        await toSocketIo(tab).click();
        await tab.getByText("Connected by Socket.IO’s client.").waitFor();
        if (plugin === "notifications") await tab.getByRole("button", { name: "Connect" }).click();
        await tab.getByText("Connected", { exact: true }).waitFor();
        assert.ok(asked.includes("/socket.io/"), asked.join(" "));
        await assertNoSidewaysScroll(tab);
        await toOurs(tab).click();
        await tab.getByText("Connected by client.js.").waitFor();
        assertQuiet([tab]);
      }
    });
  }

  test("the link keeps the room and the name, also one that was chosen at random", async () => {
    const room = newRoom();
    const tab = await joined("chat", `room=${room}`);
    const name = await tab.locator("#me").textContent();
    await toSocketIo(tab).click();
    await tab.getByText("Connected", { exact: true }).waitFor();
    const words = async () => [await tab.locator("#me").textContent(), await tab.locator("#room").textContent()];
    assert.deepEqual(await words(), [name, room]);
    await toOurs(tab).click();
    await tab.getByText("Connected by client.js.").waitFor();
    assert.deepEqual(await words(), [name, room]);
    assert.ok(!tab.url().includes("client="));

    const typed = await openTab(await bench.newContext(PHONE), `${bench.url}/_parlor/pages/notifications/`);
    await typed.getByLabel("Token").fill("demo-bob");
    await toSocketIo(typed).click();
    await typed.getByText("Connected by Socket.IO’s client.").waitFor();
    assert.equal(await typed.getByLabel("Token").inputValue(), "demo-bob");
    assertQuiet([tab, typed]);
  });

  test("users of both clients meet in one room, and each hears what is not possible", async () => {
    const room = newRoom();
    const ana = await joined("chat", `user=ana&room=${room}`);
    const ben = await joined("chat", `user=ben&room=${room}&${BY_SOCKET_IO}`);
    await say(ana, "hello ben");
    await message(ben, "hello ben").waitFor();
    await say(ben, "hello ana");
    await message(ana, "hello ana").waitFor();
    for (const tab of [ana, ben]) assert.match((await tab.locator(".person").allTextContents()).join(), /ana.*ben/);
    await say(ben, "  ");
    await ben.getByText("say something first").waitFor();
    await ben.close();
    await ana.getByText("ben left").waitFor();
    assertQuiet([ana]);
  });

  test("events without data arrive, and what the room keeps comes back", async () => {
    const room = newRoom();
    const ana = await joined("whiteboard", `name=ana&room=${room}`, { viewport: DESKTOP });
    const ben = await joined("whiteboard", `name=ben&room=${room}&${BY_SOCKET_IO}`, { viewport: DESKTOP });
    const board = await ben.locator("#board").boundingBox();
    await ben.mouse.move(board.x + 50, board.y + 50);
    await ana.locator("#cursors b").filter({ hasText: "ben" }).waitFor();
    // `cursor.leave` and `board.clear` have no data.
    await ben.mouse.move(board.x + 50, board.y - 20);
    await ana.locator("#cursors b").filter({ hasText: "ben" }).waitFor({ state: "detached" });
    await ben.mouse.move(board.x + 50, board.y + 50);
    await ben.mouse.down();
    await ben.mouse.move(board.x + 90, board.y + 90, { steps: 8 });
    await ben.mouse.up();
    await ben.getByRole("button", { name: "Undo", disabled: false }).waitFor();
    await ana.getByText("Draw here.").waitFor({ state: "hidden" });
    await ben.getByRole("button", { name: "Clear", exact: true }).click();
    await ben.getByRole("button", { name: "Clear for all?" }).click();
    for (const tab of [ana, ben]) await tab.getByText("Draw here.").waitFor();
    assertQuiet([ana, ben]);
  });

  test("a token that is refused is told, and not tried again", async () => {
    for (const plugin of ["inbox", "notifications"]) {
      const tab = await open(plugin, `token=no-such-token&${BY_SOCKET_IO}`);
      await tab.getByText("Refused").waitFor();
      await tab.getByText("Not connected", { exact: true }).waitFor();
      assertQuiet([tab]);
    }
  });

  test("a connection that was lost comes back, and what was said meanwhile is sent", async () => {
    const line = await Line.to(bench.url);
    try {
      const room = newRoom();
      const ben = await joined("chat", `user=ben&room=${room}`);
      const ana = await joined("chat", `user=ana&room=${room}&${BY_SOCKET_IO}`, { base: line.url });
      line.cut();
      await ana.getByText(/(Connection lost|No connection), next try in [1-5] s/).waitFor();
      await say(ana, "are you still there?");
      line.mend();
      await ana.getByRole("button", { name: "Try now" }).click();
      await ana.getByText("You are back").waitFor();
      await message(ben, "are you still there?").waitFor();
      assertQuiet([ben]);
    } finally {
      await line.close();
    }
  });

  test("where Socket.IO's client is not installed, the page says how to get it and works all the same", async () => {
    const context = await bench.newContext(PHONE);
    await context.route(MODULE, (route) => route.fulfill({ status: 404 }));
    const tab = await openTab(context, `${bench.url}/_parlor/pages/tickets/?user=ana&${BY_SOCKET_IO}`);
    await tab.getByText("Socket.IO’s client is not installed: run npm ci --prefix plugins and reload.").waitFor();
    await tab.getByText("Connected", { exact: true }).waitFor();
    await assertNoSidewaysScroll(tab);
    await toOurs(tab).click();
    await tab.getByText("Connected by client.js.").waitFor();
    assertQuiet([tab], /status of 404/);
  });
});

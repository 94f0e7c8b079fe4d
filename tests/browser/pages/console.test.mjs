// The console: logins, what happens while it happens, versions, costs, rooms; and what a tenant and a foreign page may not.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { DESKTOP, PHONE, assertLabelled, assertNoSidewaysScroll, assertQuiet, openTab, startBrowser } from "../support/browser.mjs";
import { GUESTS, TOKENS, socket, startConsole } from "../support/console.mjs";
import { BINARY } from "../support/server.mjs";

const skip = BINARY && GUESTS ? false : "PARLOR_BIN or PARLOR_GUESTS is not set";

describe("the console", { skip }, () => {
  let server;
  let browser;
  const contexts = [];

  before(async () => {
    [server, browser] = await Promise.all([startConsole(), startBrowser()]);
  });
  afterEach(() => Promise.all(contexts.splice(0).map((context) => context.close())));
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function open(view = "#/", { token = TOKENS.operator, viewport = DESKTOP, colorScheme = "light" } = {}) {
    const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
    contexts.push(context);
    const tab = await openTab(context, `${server.url}/_parlor/${view}`);
    await tab.getByLabel("Token").fill(token);
    await tab.keyboard.press("Enter");
    await live(tab);
    return tab;
  }
  const live = (tab) => tab.getByText("Live", { exact: true }).waitFor();
  const table = (tab, name) => tab.getByRole("region", { name, exact: true });
  const row = (tab, name, words) => table(tab, name).getByRole("row").filter({ hasText: words });
  async function go(tab, view) {
    await tab.evaluate((hash) => {
      location.hash = hash;
    }, view);
    await live(tab);
  }

  test("a wrong token is told of beside the field, the right one opens what the address names, and log out ends it", async () => {
    const context = await browser.newContext({ viewport: DESKTOP });
    contexts.push(context);
    const tab = await openTab(context, `${server.url}/_parlor/#/t/acme`);
    await tab.getByLabel("Token").fill("wrong-wrong-wrong-wrong");
    await tab.getByRole("button", { name: "Log in" }).click();
    await tab.getByRole("alert").getByText("neither the operator's token nor a tenant's").waitFor();
    await tab.getByLabel("Token").fill(TOKENS.operator);
    await tab.keyboard.press("Enter");
    await tab.getByRole("heading", { name: "acme", exact: true }).waitFor();
    await live(tab);
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Strict"]);
    assert.equal(await tab.evaluate(() => document.cookie), "");
    await tab.reload();
    await live(tab);
    await tab.getByRole("button", { name: "Log out" }).click();
    await tab.getByLabel("Token").waitFor();
    assert.deepEqual(await context.cookies(), []);
    assertQuiet([tab], /status of 401/);
  });

  test("a line that a handler logs is seen as it is written, in its room and in the log of all", async () => {
    const [tab, all] = await Promise.all([open("#/t/acme/p/members/r/lobby"), open("#/log")]);
    const ana = await socket(tab, "/t/acme/members?room=lobby&user=ana");
    await row(tab, "Sockets", "ana").waitFor();
    await ana.close();
    for (const page of [tab, all]) await page.getByRole("log").getByText(/gone .*ana/).waitFor();
    await all.getByText("acme/members/lobby").waitFor();
    await tab.getByText("The room is not open").waitFor();
    assertQuiet([tab, all]);
  });

  test("another version serves after one click, and rooms move to it", async () => {
    const tab = await open("#/t/acme/p/swap");
    const { version: before } = await server.api("GET", "plugins/acme/swap");
    const ana = await socket(tab, "/t/acme/swap?room=r&user=ana");
    await row(tab, "Versions", before).getByRole("cell", { name: "1", exact: true }).waitFor();
    const { version: next } = await server.api("PUT", "plugins/acme/swap", await readFile(path.join(GUESTS, "swap_two.wasm")));
    assert.ok(next && next !== before);
    await row(tab, "Versions", next).getByText("serves").waitFor();
    await row(tab, "Versions", next).getByRole("cell", { name: "1", exact: true }).waitFor();
    await tab.getByRole("button", { name: `Serve version ${before}` }).click();
    await row(tab, "Versions", before).getByText("serves").waitFor();
    await row(tab, "Versions", before).getByRole("cell", { name: "1", exact: true }).waitFor();
    await row(tab, "What became of versions", "rolled back").waitFor();
    assert.equal(await ana.state(), 1, "its socket stays");
    assertQuiet([tab]);
  });

  test("the key that a turn wrote is found in the storage of its room", async () => {
    const tab = await open("#/t/acme/p/plain/r/keeps");
    const ana = await socket(tab, "/t/acme/plain?room=keeps");
    await tab.getByText("1 socket of 1 user").waitFor();
    // A room that opens is looked at by itself, and from then on nothing is.
    await tab.getByText("0 B in all").waitFor();
    await ana.send("remember", { what: "the umbrella" });
    await tab.getByRole("button", { name: "Look again: turns ran since" }).click();
    await row(tab, "Stored keys", "remembered").getByText('{"what":"the umbrella"}').waitFor();
    await tab.getByLabel("Keys that begin with").fill("no such");
    await tab.getByRole("button", { name: "Find" }).click();
    await tab.getByText("It stores nothing under such keys.").waitFor();
    await tab.getByLabel("Keys that begin with").fill("rem");
    await tab.keyboard.press("Enter");
    await row(tab, "Stored keys", "remembered").waitFor();
    // What cannot be decoded is a name as it stands.
    await tab.evaluate(() => {
      location.hash = "#/%";
    });
    await tab.getByRole("heading", { name: "What this host serves" }).waitFor();
    assertQuiet([tab]);
  });

  test("a key is put, changed and deleted by hand, and the room reads it", async () => {
    const tab = await open("#/t/acme/p/plain/r/hands");
    const ana = await socket(tab, "/t/acme/plain?room=hands");
    await tab.getByText("1 socket of 1 user,").waitFor();
    await tab.getByRole("button", { name: "Put" }).click();
    await tab.getByRole("alert").getByText("A key must not be empty.").waitFor();
    await tab.getByLabel("Key", { exact: true }).fill("remembered");
    await tab.getByLabel("Value", { exact: true }).fill('"by hand"');
    await tab.getByRole("button", { name: "Put" }).click();
    await tab.getByText("remembered is put.").waitFor();
    await row(tab, "Stored keys", "remembered").getByText('"by hand"').waitFor();
    await tab.getByRole("button", { name: "Edit remembered" }).click();
    assert.equal(await tab.getByLabel("Value", { exact: true }).inputValue(), '"by hand"');
    await tab.getByLabel("Value", { exact: true }).fill('"again"');
    await tab.getByRole("button", { name: "Put" }).click();
    await row(tab, "Stored keys", "remembered").getByText('"again"').waitFor();
    await tab.getByRole("button", { name: "Delete remembered" }).click();
    await tab.getByRole("button", { name: "Really: Delete remembered" }).click();
    await tab.getByText("remembered is deleted.").waitFor();
    await tab.getByText("It stores nothing under such keys.").waitFor();
    assert.equal(await ana.state(), 1, "its socket stays");
    assertQuiet([tab]);
  });

  // Has a turn of a room fail; answers once its tape is written.
  async function fail(tab, tenant) {
    const ana = await socket(tab, `/t/${tenant}/turns?room=lobby&user=ana`);
    await ana.send("state", {});
    await ana.send("attempt", { how: "panic" });
    await row(tab, "Tapes", "lobby-").waitFor();
  }

  test("a turn that failed is looked at turn by turn, from the list of failures", async () => {
    const tab = await open("#/t/acme/p/turns", { token: TOKENS.acme });
    await fail(tab, "acme");
    await row(tab, "Failures", "lobby").getByRole("link", { name: "Turn by turn" }).click();
    await tab.getByRole("heading", { name: /^Turn \d+: attempt$/ }).waitFor();
    await tab.getByText(/^Room lobby, version/).waitFor();
    await tab.getByText(/^parlor replay lobby-\d+\.tape --component parlor-data\/versions\/acme\/turns\/\w+\.wasm$/).waitFor();
    await tab.getByRole("region", { name: "Calls of the turn" }).getByText(/storage\.put\("written"/).waitFor();
    await row(tab, "Members", "ana").waitFor();
    assert.ok((await table(tab, "Turns").getByRole("row").count()) > 3);
    await tab.getByLabel("Failed turns only").check();
    assert.equal(await table(tab, "Turns").getByRole("row").count(), 2, "the head and the one that failed");
    await tab.getByLabel("Failed turns only").uncheck();
    await row(tab, "Turns", "init").getByRole("button").click();
    await tab.getByRole("heading", { name: /^Turn \d+: init$/ }).waitFor();
    await tab.reload();
    await tab.getByRole("heading", { name: /^Turn \d+: init$/ }).waitFor();
    const [file] = await Promise.all([tab.waitForEvent("download"), tab.getByRole("link", { name: "Download" }).click()]);
    assert.match(file.suggestedFilename(), /^lobby-\d+\.tape$/);
    assert.equal((await readFile(await file.path())).subarray(0, 8).toString(), "PARLORTP");
    await tab.getByRole("button", { name: "Delete this tape" }).click();
    await tab.getByRole("button", { name: "Really: Delete this tape" }).click();
    await tab.getByRole("heading", { name: "turns", exact: true }).waitFor();
    await live(tab);
    await tab.getByText("Nothing is recorded, or nothing failed").waitFor();
    assertQuiet([tab]);
  });

  test("the handler that takes 20 ms is on top of the costs", async () => {
    const tab = await open("#/t/acme/p/busy");
    const ana = await socket(tab, "/t/acme/busy?room=r");
    for (let n = 0; n < 20; n += 1) await ana.send("sync", null);
    await ana.send("work", { rounds: 20_000_000 });
    await row(tab, "Costs of each handler", "work").waitFor();
    await row(tab, "Costs of each handler", "sync").waitFor();
    const handlers = await table(tab, "Costs of each handler").getByRole("rowheader").allTextContents();
    assert.equal(handlers[0], "work");
    await tab.getByRole("img", { name: /^Turns a second: now/ }).waitFor();
    assertQuiet([tab]);
  });

  test("a socket can be kicked, and the room hears an emit", async () => {
    const tab = await open("#/t/acme/p/plain/r/kicks");
    const [ana, ben] = await Promise.all([socket(tab, "/t/acme/plain?room=kicks"), socket(tab, "/t/acme/plain?room=kicks")]);
    await tab.getByText("2 sockets of 2 users").waitFor();
    await tab.getByLabel("Event").fill("news");
    await tab.getByRole("button", { name: "Emit" }).click();
    await tab.getByText("Sent to 2 sockets.").waitFor();
    await tab.getByRole("button", { name: /^Kick socket 1 / }).click();
    await tab.getByText("1 socket of 1 user,").waitFor();
    assert.equal([await ana.state(), await ben.state()].filter((state) => state === 1).length, 1);
    assertQuiet([tab]);
  });

  test("names that look alike are told apart: characters that nobody sees are spelled", async () => {
    const tab = await open("#/t/acme/p/members/r/names");
    const named = (user) => socket(tab, `/t/acme/members?room=names&user=${encodeURIComponent(user)}`);
    await Promise.all(["ana", "\u202eana", "an\u200ba", "👩\u200d🚀"].map(named));
    await tab.getByText("4 sockets of 4 users").waitFor();
    for (const shown of ["ana", "\\u{202e}ana", "an\\u{200b}a", "👩\u200d🚀"]) {
      await table(tab, "Sockets").getByRole("cell", { name: shown, exact: true }).waitFor();
    }
    assertQuiet([tab]);
  });

  test("a tenant's token shows what is its own and nothing of another", async () => {
    const tab = await open("#/", { token: TOKENS.acme });
    await tab.getByRole("link", { name: "members", exact: true }).waitFor();
    await row(tab, "Tenants", "acme").waitFor();
    assert.doesNotMatch(await tab.locator("body").innerText(), /other|theirs/);
    await go(tab, "#/log");
    const theirs = await open("#/t/other/p/theirs/r/lobby", { token: TOKENS.other });
    await (await socket(theirs, "/t/other/plain?room=lobby")).close();
    const own = await socket(tab, "/t/acme/members?room=own&user=own");
    await own.close();
    await tab.getByRole("log").getByText(/gone .*own/).waitFor();
    assert.doesNotMatch(await tab.getByRole("log").innerText(), /theirs/);
    await tab.evaluate(() => {
      location.hash = "#/t/other/p/theirs";
    });
    await tab.getByText(/^Not up to date/).waitFor();
    assert.doesNotMatch(await tab.locator("#view").innerText(), /serves|lobby/);
    assertQuiet([tab, theirs], /status of 404/);
  });

  test("a foreign page acts as nobody, whoever is logged in", async () => {
    const tab = await open("#/t/acme/p/plain");
    // Another site, and another origin of the same site: cookies go along with requests of the latter.
    const foreign = http.createServer((_, response) => response.setHeader("content-type", "text/html").end("<p>foreign</p>"));
    foreign.listen(0, "127.0.0.1");
    await once(foreign, "listening");
    try {
      for (const host of ["localhost", "127.0.0.1"]) {
        const page = await tab.context().newPage();
        await page.goto(`http://${host}:${foreign.address().port}/`);
        const done = await page.evaluate(async (base) => {
          const send = (method, what, headers = {}) =>
            fetch(`${base}/_parlor/api/${what}`, { method, headers, credentials: "include", mode: method === "POST" && !headers["parlor-console"] ? "no-cors" : "cors", body: method === "GET" ? undefined : "{}" })
              .then((answer) => (answer.type === "opaque" ? "unseen" : answer.status), () => "refused");
          return Promise.all([
            send("POST", "plugins/acme/plain/rollback"),
            send("POST", "plugins/acme/plain/rollback", { "parlor-console": "1" }),
            send("DELETE", "session", { "parlor-console": "1" }),
            send("GET", "plugins"),
          ]);
        }, server.url);
        assert.deepEqual(done, ["unseen", "refused", "refused", "refused"]);
        await page.close();
      }
    } finally {
      foreign.close();
      foreign.closeAllConnections();
    }
    const { history } = await server.api("GET", "plugins/acme/plain");
    assert.deepEqual(history.map(({ what }) => what), ["deployed"]);
    await tab.reload();
    await live(tab);
  });

  test("it works from the keyboard alone", async () => {
    const tab = await open("#/");
    await tab.getByRole("link", { name: "plain", exact: true }).first().focus();
    await tab.keyboard.press("Enter");
    const heading = tab.getByRole("heading", { name: "plain", exact: true });
    await heading.waitFor();
    await live(tab);
    assert.equal(await heading.evaluate((element) => element === document.activeElement), true, "a screen reader hears where it is");
    await tab.locator("body").press("Tab");
    await tab.getByRole("link", { name: "acme", exact: true }).focus();
    await tab.keyboard.press("Enter");
    await tab.getByRole("heading", { name: "acme", exact: true }).waitFor();
    await tab.goBack();
    await heading.waitFor();
  });

  let tape;
  for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    for (const colorScheme of ["light", "dark"]) {
      test(`no view scrolls sideways, and every control has a name (${size}, ${colorScheme})`, async () => {
        const tab = await open("#/", { viewport, colorScheme });
        const ana = await socket(tab, "/t/acme/plain?room=wide");
        await ana.send("remember", "w".repeat(2_000));
        for (const view of ["#/", "#/log", "#/t/acme", "#/t/acme/p/plain", "#/t/acme/p/plain/r/wide"]) {
          await go(tab, view);
          await assertNoSidewaysScroll(tab);
          await assertLabelled(tab);
        }
        await row(tab, "Stored keys", "remembered").waitFor();
        await assertNoSidewaysScroll(tab);
        await go(tab, "#/t/other/p/turns");
        if (!tape) {
          await fail(tab, "other");
          tape = await table(tab, "Tapes").getByRole("link").first().textContent();
        }
        await go(tab, `#/t/other/p/turns/tape/${tape}`);
        await row(tab, "Members", "ana").waitFor();
        await assertNoSidewaysScroll(tab);
        await assertLabelled(tab);
        assertQuiet([tab]);
      });
    }
  }
});

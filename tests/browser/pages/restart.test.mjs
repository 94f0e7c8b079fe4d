// A host that restarts under open tabs. It has to be started here, so this wants PARLOR_BIN.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE, assertQuiet, newRoom, openTab, startBrowser } from "../support/browser.mjs";
import { BINARY, freePort, startServer } from "../support/server.mjs";

const skip = BINARY ? false : "PARLOR_BIN does not name the program";

test("tabs come back by themselves after the host was restarted", { skip }, async () => {
  const port = await freePort();
  let server = await startServer(port);
  const browser = await startBrowser();
  try {
    const context = await browser.newContext({ viewport: PHONE });
    const room = newRoom();
    const [ana, ben] = await Promise.all(["ana", "ben"].map((user) =>
      openTab(context, `${server.url}/_parlor/pages/chat/?user=${user}&room=${room}`)));
    for (const tab of [ana, ben]) await tab.getByText("Connected", { exact: true }).waitFor();

    await server.stop();
    for (const tab of [ana, ben]) await tab.getByText("The connection was lost.").first().waitFor();
    server = await startServer(port);
    for (const tab of [ana, ben]) await tab.getByText("You are back").first().waitFor({ timeout: 60_000 });

    await ana.getByLabel("Message as").fill("after the restart");
    await ana.getByRole("button", { name: "Send" }).click();
    await ben.locator(".message").filter({ hasText: "after the restart" }).waitFor();
    assert.equal(await ben.locator(".person").count(), 2);
    // Where the restart takes long, the client asks why it gets no connection.
    assertQuiet([ana, ben], /WebSocket connection to .* failed|Failed to load resource: net::ERR_CONNECTION_REFUSED/);
  } finally {
    await browser.close();
    await server.stop();
  }
});

// The JavaScript of the documentation for clients: each block is a module of a page of the real server, and prints what the
// comment above it says.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { setUp } from "../support/bench.mjs";
import { DESKTOP, assertQuiet, openTab } from "../support/browser.mjs";

const DOCS = fileURLToPath(new URL("../../../docs/", import.meta.url));
const MODULE = "/_parlor/block-of-the-documentation.js";

/** The blocks of JavaScript, with what they print. */
function blocks() {
  const pages = readdirSync(DOCS, { recursive: true }).filter((name) => name.endsWith(".md"));
  return pages.flatMap((page) => {
    const text = readFileSync(DOCS + page, "utf8");
    const found = text.matchAll(/^<!-- prints: (.*) -->\n```js\n([^]*?)^```$/gm);
    return Array.from(found, ([, prints, code]) => ({ page, prints, code }));
  });
}

describe("the documentation for clients", () => {
  const bench = setUp();

  for (const { page, prints, code } of blocks()) {
    test(`${page}: what prints ${JSON.stringify(prints)}`, async () => {
      const tab = await openTab(await bench.newContext(DESKTOP), `${bench.url}/_parlor/`);
      await tab.route(`**${MODULE}`, (route) => route.fulfill({ contentType: "text/javascript", body: code }));
      const printed = tab.waitForEvent("console", (message) => message.text().includes(prints));
      await tab.evaluate((path) => import(path), MODULE);
      await printed;
      // One block is refused, and the browser says so by itself.
      assertQuiet([tab], /WebSocket connection to .*no-such-plugin.* failed|status of 404/);
    });
  }

  test("has such blocks", () => assert.ok(blocks().length >= 3));
});

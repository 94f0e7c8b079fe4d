// What the tests of one file share: a server, a browser, and contexts that end with the test that opened them.
import { after, afterEach, before } from "node:test";
import { startBrowser } from "./browser.mjs";
import { findServer } from "./server.mjs";

/** To be called in a suite: its tests then have `url` and `newContext(viewport)`. */
export function setUp() {
  let server;
  let browser;
  const contexts = [];

  before(async () => {
    server = await findServer();
    browser = await startBrowser();
  });
  afterEach(() => Promise.all(contexts.splice(0).map((context) => context.close())));
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  return {
    get url() {
      return server.url;
    },
    /** A browser profile of its own: nothing is shared with other contexts. */
    async newContext(viewport) {
      const context = await browser.newContext({ viewport, reducedMotion: "reduce" });
      contexts.push(context);
      return context;
    },
  };
}

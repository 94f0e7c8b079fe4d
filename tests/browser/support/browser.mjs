// One browser a test file, and pages that keep account of what they complain about.
import assert from "node:assert/strict";
import { accessSync, constants } from "node:fs";
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1280, height: 900 };

/** Starts the browser, with a profile of its own that is empty. */
export async function startBrowser() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  try {
    accessSync(executablePath, constants.X_OK);
  } catch {
    throw new Error(`there is no browser at ${executablePath}: apt-get install chromium, or name one in CHROMIUM`);
  }
  return chromium.launch({ executablePath, args: FLAGS });
}

/** A tab. Console errors, exceptions and requests to other hosts are kept in `tab.complaints`. */
export async function openTab(context, address) {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.complaints = [];
  const { host } = new URL(address);
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    page.complaints.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  page.on("request", (request) => {
    if (new URL(request.url()).host !== host) page.complaints.push(`asked another host: ${request.url()}`);
  });
  await page.goto(address);
  return page;
}

/** Nothing went wrong in these tabs; `expected` are complaints that the test brought about. */
export function assertQuiet(tabs, expected = /^$/) {
  for (const tab of tabs) assert.deepEqual(tab.complaints.filter((text) => !expected.test(text)), []);
}

/** The page is not wider than its window, and nothing inside it sticks out. */
export async function assertNoSidewaysScroll(page) {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  assert.ok(content <= window, `the page is ${content} px wide in a window of ${window} px`);
}

/** Every control can be found by its label. */
export async function assertLabelled(page) {
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll("input, select, textarea, button")]
      .filter((control) => !control.labels?.[0]?.textContent.trim() && !control.getAttribute("aria-label")
        && !(control.matches("button") && control.textContent.trim()))
      .map((control) => control.outerHTML));
  assert.deepEqual(nameless, []);
}

/** A room that no other test is in. */
export function newRoom() {
  return `test-${Date.now().toString(36)}-${Math.floor(Math.random() * 1e9).toString(36)}`;
}

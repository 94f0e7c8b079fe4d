// The page of the whiteboard: what one draws the others see, while it is drawn and for good.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setUp } from "../support/bench.mjs";
import { DESKTOP, PHONE, assertLabelled, assertNoSidewaysScroll, assertQuiet, newRoom, openTab } from "../support/browser.mjs";
import { Line } from "../support/server.mjs";

describe("the whiteboard page", () => {
  const bench = setUp();

  async function join(room, name, viewport = DESKTOP, base = bench.url) {
    const context = await bench.newContext(viewport);
    const tab = await openTab(context, `${base}/_parlor/pages/whiteboard/?room=${room}&name=${encodeURIComponent(name)}`);
    await tab.getByText("Connected", { exact: true }).waitFor();
    return tab;
  }

  /** A place of the window, from one of the board in parts of its width and height. */
  async function place(tab, [x, y]) {
    const board = await tab.locator("#board").boundingBox();
    return [board.x + x * board.width, board.y + y * board.height];
  }

  /** Draws with the mouse through these places, and leaves the button down. */
  async function press(tab, [first, ...others]) {
    await tab.mouse.move(...(await place(tab, first)));
    await tab.mouse.down();
    for (const other of others) await tab.mouse.move(...(await place(tab, other)), { steps: 8 });
  }

  async function draw(tab, ...places) {
    await press(tab, places);
    await tab.mouse.up();
  }

  /** Waits until a canvas has ink at a place of the board, or has none. */
  function inked(tab, canvas, [x, y], wanted = true) {
    const isSo = ({ canvas, x, y, wanted }) => {
      const element = document.getElementById(canvas);
      const reach = 3;
      const [left, top] = [x * element.width - reach, y * element.height - reach].map(Math.round);
      const { data } = element.getContext("2d").getImageData(left, top, 2 * reach, 2 * reach);
      return data.some((value, at) => at % 4 === 3 && value > 0) === wanted;
    };
    return tab.waitForFunction(isSo, { canvas, x, y, wanted });
  }

  const CORNERS = [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8]];
  const ON_IT = [0.5, 0.2];
  const ELSEWHERE = [0.3, 0.6];

  test("a line is seen by the others while it is drawn, and kept when it is finished", async () => {
    const room = newRoom();
    const [ana, ben] = [await join(room, "ana"), await join(room, "ben")];
    await press(ana, CORNERS);
    await inked(ben, "wet", ON_IT);
    await inked(ben, "paper", ON_IT, false);
    await ana.mouse.up();
    for (const tab of [ana, ben]) {
      await inked(tab, "paper", ON_IT);
      await inked(tab, "wet", ON_IT, false);
      await inked(tab, "paper", ELSEWHERE, false);
    }
    await ben.reload();
    await inked(ben, "paper", ON_IT);
    const late = await join(room, "cleo", PHONE);
    await inked(late, "paper", ON_IT);
    await assertNoSidewaysScroll(late);
    await assertLabelled(late);
    assertQuiet([ana, ben, late]);
  });

  test("cursors have names, follow, and go with who points", async () => {
    const room = newRoom();
    const [ana, ben] = [await join(room, "<i>ana</i>"), await join(room, "ben")];
    const cursor = (tab, name) => tab.locator("#cursors b").filter({ hasText: name });
    for (const at of [[0.25, 0.5], [0.75, 0.5]]) {
      await ana.mouse.move(...(await place(ana, at)));
      await ben.waitForFunction((x) => Math.abs(parseFloat(document.querySelector("#cursors div")?.style.left) - 100 * x) < 1, at[0]);
    }
    assert.ok(await cursor(ben, "<i>ana</i>").isVisible());
    const color = (locator) => locator.evaluate((element) => getComputedStyle(element).getPropertyValue("--person"));
    const person = (tab, name) => tab.locator("#people li").filter({ hasText: name });
    assert.equal(await color(cursor(ben, "<i>ana</i>")), await color(person(ben, "<i>ana</i>")));
    assert.notEqual(await color(person(ben, "<i>ana</i>")), await color(person(ben, "ben")));
    // Who comes later sees where the others point already.
    const cleo = await join(room, "cleo");
    await cursor(cleo, "<i>ana</i>").waitFor();
    await ana.close();
    for (const tab of [ben, cleo]) {
      await cursor(tab, "<i>ana</i>").waitFor({ state: "detached" });
      await person(tab, "<i>ana</i>").waitFor({ state: "detached" });
    }
    assertQuiet([ben, cleo]);
  });

  test("one takes back one's own last stroke alone", async () => {
    const room = newRoom();
    const [ana, ben] = [await join(room, "ana"), await join(room, "ben")];
    await draw(ana, ...CORNERS);
    for (const tab of [ana, ben]) await inked(tab, "paper", ON_IT);
    await draw(ben, [0.2, 0.6], [0.4, 0.6]);
    for (const tab of [ana, ben]) await inked(tab, "paper", ELSEWHERE);
    await ana.keyboard.press("Control+z");
    for (const tab of [ana, ben]) {
      await inked(tab, "paper", ON_IT, false);
      await inked(tab, "paper", ELSEWHERE);
    }
    assert.ok(await ana.getByRole("button", { name: "Undo" }).isDisabled());
    await ben.reload();
    await ben.getByRole("button", { name: "Undo" }).click();
    for (const tab of [ana, ben]) await inked(tab, "paper", ELSEWHERE, false);
    assertQuiet([ana, ben]);
  });

  test("the board is cleared for all, by a second click", async () => {
    const room = newRoom();
    const [ana, ben] = [await join(room, "ana"), await join(room, "ben")];
    await draw(ana, ...CORNERS);
    await inked(ben, "paper", ON_IT);
    await ben.getByRole("button", { name: "Clear", exact: true }).click();
    await ben.getByRole("button", { name: "Clear for all?" }).click();
    for (const tab of [ana, ben]) {
      await inked(tab, "paper", ON_IT, false);
      await tab.getByText("Draw here.").waitFor();
    }
    await draw(ben, ...CORNERS);
    await inked(ana, "paper", ON_IT);
    assertQuiet([ana, ben]);
  });

  test("a finger draws, in the colour and width that were chosen", async () => {
    const room = newRoom();
    const ana = await join(room, "ana");
    const phone = await join(room, "ben", PHONE);
    await phone.getByTitle("Blue").click();
    await phone.getByTitle("Broad").click();
    const client = await phone.context().newCDPSession(phone);
    const touch = async (type, at) => {
      const [x, y] = at ? await place(phone, at) : [];
      await client.send("Input.dispatchTouchEvent", { type, touchPoints: at ? [{ x, y }] : [] });
    };
    await touch("touchStart", [0.2, 0.5]);
    for (const x of [0.3, 0.4, 0.5, 0.6, 0.7]) await touch("touchMove", [x, 0.5]);
    await touch("touchEnd");
    await inked(ana, "paper", [0.5, 0.5]);
    const pixel = await ana.evaluate(() => {
      const paper = document.getElementById("paper");
      return [...paper.getContext("2d").getImageData(paper.width / 2, paper.height / 2, 1, 1).data];
    });
    assert.deepEqual(pixel, [0x1c, 0x7e, 0xd6, 255]);
    // A finger that is lifted points nowhere.
    await ana.locator("#cursors div").waitFor({ state: "detached" });
    assertQuiet([ana, phone]);
  });

  test("what was drawn without a connection is kept once there is one", async () => {
    const room = newRoom();
    const line = await Line.to(bench.url);
    try {
      const ben = await join(room, "ben");
      const ana = await join(room, "ana", DESKTOP, line.url);
      await draw(ana, [0.2, 0.6], [0.4, 0.6]);
      await inked(ben, "paper", ELSEWHERE);
      line.cut();
      await ana.getByText("Connection lost").waitFor();
      await draw(ana, ...CORNERS);
      await inked(ana, "wet", ON_IT);
      line.mend();
      for (const tab of [ana, ben]) {
        await inked(tab, "paper", ON_IT);
        await inked(tab, "paper", ELSEWHERE);
      }
      await inked(ana, "wet", ON_IT, false);
      assertQuiet([ben]);
      assertQuiet([ana], /WebSocket connection to .* failed/);
    } finally {
      await line.close();
    }
  });
});

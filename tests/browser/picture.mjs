// Makes the picture of the README: two people draw on the whiteboard example, each in a window of their own.
//
//     PARLOR_BIN=$PWD/target/release/parlor npm run picture --prefix tests/browser
//
// What is drawn and where people point is always the same, so a picture differs from the one before only where the page does.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { newRoom, openTab, startBrowser } from "./support/browser.mjs";
import { findServer } from "./support/server.mjs";

const PICTURE = fileURLToPath(new URL("../../docs/whiteboard.png", import.meta.url));
const WINDOW = { width: 640, height: 600 };
/** Pens of the page, by their place. */
const [BLACK, RED, YELLOW, BLUE] = [0, 1, 3, 5];
const [MEDIUM, BROAD] = [1, 2];

/** A wave of the board, in parts of its width and height. */
const wave = (y, phase) => Array.from({ length: 25 }, (_, n) => [0.1 + 0.033 * n, y + 0.04 * Math.sin(n / 2 + phase)]);
const circle = (x, y, radius) => Array.from({ length: 25 }, (_, n) => {
  const turn = (n / 24) * 2 * Math.PI;
  return [x + radius * Math.cos(turn), y + (4 / 3) * radius * Math.sin(turn)];
});
/** Straight lines through these places: the page smooths what has few points. */
const straight = (places) => places.slice(1).flatMap(([x, y], at) => {
  const [fromX, fromY] = places[at];
  return Array.from({ length: 13 }, (_, n) => [fromX + (n / 12) * (x - fromX), fromY + (n / 12) * (y - fromY)]);
});
const HOUSE = straight([[0.2, 0.62], [0.2, 0.36], [0.34, 0.18], [0.48, 0.36], [0.48, 0.62], [0.2, 0.62]]);
const DOOR = straight([[0.3, 0.62], [0.3, 0.46], [0.38, 0.46], [0.38, 0.62]]);

async function join(browser, url, room, name) {
  const context = await browser.newContext({ viewport: WINDOW, reducedMotion: "reduce", colorScheme: "light" });
  const tab = await openTab(context, `${url}/_parlor/pages/whiteboard/?room=${room}&name=${name}`);
  await tab.getByText("Connected", { exact: true }).waitFor();
  return tab;
}

async function point(tab, [x, y]) {
  const board = await tab.locator("#board").boundingBox();
  await tab.mouse.move(board.x + x * board.width, board.y + y * board.height);
}

/** Draws through these places; the pen stays down where the line is not `finished`. */
async function draw(tab, color, width, [first, ...others], finished = true) {
  await tab.locator("#colors label").nth(color).click();
  await tab.locator("#widths label").nth(width).click();
  await point(tab, first);
  await tab.mouse.down();
  for (const place of others) await point(tab, place);
  if (finished) await tab.mouse.up();
}

/** Both windows beside each other, as one picture. */
async function beside(browser, shots) {
  const page = await browser.newPage({ viewport: { width: 2 * WINDOW.width + 48, height: WINDOW.height + 32 } });
  const images = shots.map((shot) => `<img src="data:image/png;base64,${shot.toString("base64")}">`);
  await page.setContent(`<style>
    body { margin: 0; padding: 16px; display: flex; gap: 16px; background: #e8e9ec }
    img { width: ${WINDOW.width}px; border-radius: 8px; box-shadow: 0 2px 10px #0004 }
  </style>${images.join("")}`);
  return page.screenshot({ type: "png" });
}

const server = await findServer();
const browser = await startBrowser();
try {
  const room = newRoom();
  const [ana, ben] = [await join(browser, server.url, room, "Ana"), await join(browser, server.url, room, "Ben")];
  await draw(ana, BLACK, MEDIUM, HOUSE);
  await draw(ana, RED, MEDIUM, DOOR);
  await draw(ben, YELLOW, BROAD, circle(0.78, 0.24, 0.07));
  await draw(ana, BLUE, MEDIUM, wave(0.76, 0));
  await draw(ben, BLUE, MEDIUM, wave(0.86, 1).slice(0, 20), false);
  await point(ana, [0.55, 0.42]);
  // Each sees where the other points now, and all that is drawn.
  for (const [tab, at] of [[ben, 0.55], [ana, wave(0, 0)[19][0]]]) {
    await tab.waitForFunction((x) => Math.abs(parseFloat(document.querySelector("#cursors div")?.style.left) - 100 * x) < 1, at);
  }
  const shots = [await ana.screenshot(), await ben.screenshot()];
  writeFileSync(PICTURE, await beside(browser, shots));
  console.log(PICTURE);
} finally {
  await browser.close();
  await server.stop();
}

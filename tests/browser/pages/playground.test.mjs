// What the playground does beyond JSON that is sent and forgotten: it waits for answers, and shows and sends bytes.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setUp } from "../support/bench.mjs";
import { DESKTOP, PHONE, assertLabelled, assertNoSidewaysScroll, assertQuiet, newRoom } from "../support/browser.mjs";
import { frame, frames, join, openOverview, panel, send } from "../support/playground.mjs";

const BYTES = Uint8Array.from({ length: 20 }, (_, n) => n);
const BASE64 = Buffer.from(BYTES).toString("base64");
const FIRST_IN_HEX = "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f …";

describe("the playground", () => {
  const bench = setUp();

  /** A connection to the chat in a window of this size. `hear` gets each frame that it sends, and may send frames back. */
  async function joined(viewport = DESKTOP, hear) {
    const context = await bench.newContext(viewport);
    if (hear) {
      await context.routeWebSocket(/\/ws\?/, (page) => {
        const server = page.connectToServer();
        page.onMessage((text) => hear(JSON.parse(text), (frame) => page.send(JSON.stringify(frame))) || server.send(text));
      });
    }
    const tab = await openOverview(context, bench.url);
    const one = panel(tab, 1);
    await join(one, newRoom(), "ana");
    return { tab, one };
  }

  const waitBox = (one) => one.getByLabel("wait for an answer");
  const sendAs = (one, kind) => one.getByLabel("Send as").selectOption(kind);

  test("it waits for an answer, and says what became of the event and how long that took", async () => {
    const { tab, one } = await joined();
    await waitBox(one).check();
    await send(one, "chat.message", '{"text":"hello"}');
    await frame(one, "note", /^.*chat\.message was handled after \d+ ms$/).waitFor();
    assert.deepEqual(await frames(one, "out"), ['{"type":"chat.message","data":{"text":"hello"},"id":1}']);
    assert.ok((await frames(one, "in")).includes('{"type":"ack","id":1}'));
    await send(one, "chat.message", '{"text":" "}');
    await frame(one, "note", /chat\.message failed: chat\.empty: say something first, after \d+ ms$/).waitFor();
    await waitBox(one).uncheck();
    await send(one, "chat.message", '{"text":"again"}');
    await frame(one, "in", "again").waitFor();
    assert.equal((await frames(one, "out")).at(-1), '{"type":"chat.message","data":{"text":"again"}}');
    assertQuiet([tab]);
  });

  test("it shows an answer with its bytes in words", async () => {
    const { tab, one } = await joined(DESKTOP, ({ type, id }, answer) => {
      if (type === "data") return answer({ type: "ack", id, data: { length: 5, picture: { base64: BASE64 } } }) ?? true;
      if (type === "bytes") return answer({ type: "ack", id, base64: "" }) ?? true;
      return false;
    });
    await waitBox(one).check();
    await send(one, "data");
    const answer = `{"length":5,"picture":"20 bytes: ${FIRST_IN_HEX}"}`;
    await frame(one, "note", `data was answered ${answer} after`).waitFor();
    await send(one, "bytes");
    await frame(one, "note", 'bytes was answered "0 bytes" after').waitFor();
    assertQuiet([tab]);
  });

  test("it sends bytes in hex, and shows the bytes that come", async () => {
    const heard = [];
    const { tab, one } = await joined(DESKTOP, (sent, answer) => {
      heard.push(sent);
      if (sent.type !== "picture") return false;
      answer({ type: "event", channel: "default", data: { type: "picture", base64: BASE64 } });
      // A plugin's own text of that name is no bytes.
      answer({ type: "event", channel: "default", data: { type: "words", base64: BASE64, from: "ben" } });
      return true;
    });
    await sendAs(one, "hex");
    await one.getByLabel("Event").fill("picture");
    await one.getByLabel("Bytes").fill("00 0xff, 1B:2c");
    await one.getByLabel("Bytes").press("Control+Enter");
    await frame(one, "in", "words").waitFor();
    assert.deepEqual(heard, [{ type: "picture", base64: "AP8bLA==" }]);
    assert.deepEqual(await frames(one, "out"), ['{"type":"picture","base64":"4 bytes: 00 ff 1b 2c"}']);
    const [bytes, words] = (await frames(one, "in")).slice(-2).map((text) => JSON.parse(text).data.base64);
    assert.deepEqual([bytes, words], [`20 bytes: ${FIRST_IN_HEX}`, BASE64]);
    for (const wrong of ["0", "0g", "hello"]) {
      await one.getByLabel("Bytes").fill(wrong);
      await one.getByRole("button", { name: "Send" }).click();
      assert.match(await one.getByRole("alert").textContent(), /^These are no bytes/);
    }
    assert.equal(heard.length, 1);
    assertQuiet([tab]);
  });

  test("it sends the bytes of a file, and the room knows them as bytes", async () => {
    const { tab, one } = await joined();
    await sendAs(one, "file");
    await one.getByLabel("Event").fill("picture");
    await one.getByRole("button", { name: "Send" }).click();
    await one.getByText("Which file?").waitFor();
    await one.getByLabel("File").setInputFiles({ name: "a.bin", mimeType: "application/octet-stream", buffer: Buffer.from(BYTES) });
    await waitBox(one).check();
    await one.getByRole("button", { name: "Send" }).click();
    await frame(one, "note", "picture failed: bad-data: these are bytes, and the handler reads JSON, after").waitFor();
    assert.deepEqual(await frames(one, "out"), [`{"type":"picture","base64":"20 bytes: ${FIRST_IN_HEX}","id":1}`]);
    assertQuiet([tab]);
  });

  test("on a phone it fits whatever is sent", async () => {
    const { tab, one } = await joined(PHONE);
    for (const kind of ["json", "hex", "file"]) {
      await sendAs(one, kind);
      await assertNoSidewaysScroll(tab);
      await assertLabelled(tab);
    }
    assertQuiet([tab]);
  });
});

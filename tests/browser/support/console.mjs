// A server of its own for the console: `parlor serve` with tokens, and with the guests of the suite as plugins of two tenants.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { BINARY } from "./server.mjs";

export const TOKENS = { operator: "token-of-the-operator", acme: "the-token-of-acme", other: "the-token-of-other" };
/** The folder of the guests' components, which the suite builds. */
export const GUESTS = process.env.PARLOR_GUESTS;

const LISTENING = /parlor listening on (http:\/\/\S+)/;
const PLUGINS = { "acme/turns": "fault_turns", "acme/members": "members", "acme/plain": "plain", "acme/busy": "busy", "acme/swap": "swap_one", "other/theirs": "plain",
  "other/turns": "fault_turns" };

/** `{ url, api, stop }` of such a server; `api(method, path, body)` asks as the operator. */
export async function startConsole() {
  const folder = await mkdtemp(path.join(tmpdir(), "parlor-console-"));
  for (const [place, guest] of Object.entries(PLUGINS)) {
    const file = path.join(folder, "plugins", `${place}.wasm`);
    await mkdir(path.dirname(file), { recursive: true });
    await cp(path.join(GUESTS, `${guest}.wasm`), file);
  }
  const { operator, acme, other } = TOKENS;
  await writeFile(path.join(folder, "parlor.toml"), `listen = "127.0.0.1:0"\noperator-token = "${operator}"\nconsole-writes = true\n`
    + `[tenants.acme]\ntoken = "${acme}"\n[tenants.acme.plugins.turns]\nrecord = "failures"\n[tenants.other]\ntoken = "${other}"\n`
    + "[tenants.other.plugins.turns]\nrecord = \"failures\"\n");
  const child = spawn(BINARY, ["serve"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, PARLOR_LOG: "warn" } });
  let output = "";
  const url = await new Promise((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      output += chunk;
      const found = LISTENING.exec(output);
      if (found) resolve(found[1]);
    });
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return {
    url,
    async api(method, what, body) {
      const headers = { authorization: `Bearer ${operator}` };
      const answer = await fetch(`${url}/_parlor/api/${what}`, { method, headers, body });
      return answer.json();
    },
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
      await rm(folder, { recursive: true });
    },
  };
}

/** Opens a socket in a page of the same server, and keeps it there: `send(event, data)` and `close()`. */
export async function socket(tab, address) {
  const handle = await tab.evaluateHandle(async (address) => {
    const ws = new WebSocket(`${location.origin.replace("http", "ws")}${address}`);
    await new Promise((opened, failed) => {
      ws.onopen = opened;
      ws.onerror = failed;
    });
    return ws;
  }, address);
  return {
    send: (type, data) => handle.evaluate((ws, frame) => ws.send(frame), JSON.stringify({ type, data })),
    close: () => handle.evaluate((ws) => ws.close()),
    state: () => handle.evaluate((ws) => ws.readyState),
  };
}

// The server under test: the one at PARLOR_URL, or one that is started from PARLOR_BIN. And a line to it that can
// be cut.
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));
const LISTENING = /parlor listening on (http:\/\/\S+)/;
// The first start may have to build every example.
const START_MS = 600_000;
const STOP_MS = 15_000;

export const BINARY = process.env.PARLOR_BIN;

/** `{ url, stop }` of a server to test against; `stop` leaves a server alone that was there before. */
export async function findServer() {
  if (process.env.PARLOR_URL) return { url: process.env.PARLOR_URL.replace(/\/$/, ""), stop: async () => {} };
  if (BINARY) return startServer(0);
  throw new Error("name a running `parlor dev` in PARLOR_URL, or the program in PARLOR_BIN");
}

/** Runs `parlor dev` on this port; 0 for any. Where PARLOR_DIR is set, in that folder instead of the repository. */
export async function startServer(port) {
  const cwd = process.env.PARLOR_DIR ?? REPOSITORY;
  const child = spawn(BINARY, ["dev", "--listen", `127.0.0.1:${port}`], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const url = await new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`the server does not listen after ${START_MS / 1000} s:\n${output}`));
    }, START_MS);
    const read = (chunk) => {
      output = (output + chunk).slice(-20_000);
      const found = LISTENING.exec(output);
      if (!found) return;
      clearTimeout(late);
      resolve(found[1]);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", reject);
    child.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`the server ended with ${code}:\n${output}`));
    });
  });
  return { url, stop: () => stopServer(child) };
}

async function stopServer(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await gone;
  clearTimeout(late);
}

/** A port that nobody listens on at the moment. */
export async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** A line to the server that a test can cut and mend: the page is loaded through it, and sees a network that fails. */
export class Line {
  #target;
  #server;
  #sockets = new Set();
  #cut = false;

  static async to(url) {
    const line = new Line(url);
    await once(line.#server, "listening");
    line.url = `http://127.0.0.1:${line.#server.address().port}`;
    return line;
  }

  constructor(url) {
    this.#target = new URL(url);
    this.#server = net.createServer((socket) => this.#connect(socket)).listen(0, "127.0.0.1");
  }

  #connect(near) {
    if (this.#cut) return near.destroy();
    const far = net.connect(Number(this.#target.port), this.#target.hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }

  cut() {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#cut = false;
  }

  /** From now on nothing passes over the connections that there are, and neither end is told. New ones pass. */
  stall() {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async close() {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }
}

// socket.io-client, driven line by line: see ../README.md.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const TRANSPORTS = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] };
const [url, transport] = process.argv.slice(2);

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** A value of a line as it goes into an emit: bytes are bytes. */
function received(value) {
  if (Array.isArray(value)) return value.map(received);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$bytes === "string") return Buffer.from(value.$bytes, "base64");
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, received(inner)]));
}

/** A value that came, as it stands in a line. */
function shown(value) {
  if (Buffer.isBuffer(value) || value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(shown);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(inner)]));
}

function connect({ namespace, auth, query }) {
  const options = { transports: TRANSPORTS[transport], auth, query, reconnectionDelay: 100, reconnectionDelayMax: 500 };
  const socket = io(url + namespace, options);
  socket.on("connect", () => say({ connected: true, ...(socket.recovered && { recovered: true }) }));
  socket.on("disconnect", () => say({ disconnected: true }));
  socket.on("connect_error", (error) => {
    // Without data it is the transport that failed, and the client comes back.
    if (!socket.active) say({ refused: { message: error.message, data: error.data } });
  });
  socket.onAny((event, ...args) => {
    const answer = typeof args.at(-1) === "function" ? args.pop() : undefined;
    say({ event: [event, ...shown(args)] });
    answer?.(...args);
  });
  return socket;
}

let socket;
for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text);
  if (line.connect) socket = connect(line.connect);
  if (line.emit) socket.emit(...received(line.emit));
  if (line.request) socket.emit(...received(line.request), (...answer) => say({ ack: shown(answer) }));
  if (line.cut) socket.io.engine.close();
  if (line.leave) socket.disconnect();
}
socket?.disconnect();

// The room of the load program on socket.io, as its documentation says to run it where speed counts: WebSockets alone,
// the native add-on of `ws`, the request of a connection not kept. The handlers are those of `tests/load/typescript`.
import { createServer } from "node:http";
import { Server } from "socket.io";

/** What a room keeps, behind promises as the storage of Parlor's rooms is; in memory alone. */
class Storage {
  #values = new Map();

  async get(key) {
    return this.#values.get(key);
  }

  async put(key, value) {
    this.#values.set(key, value);
  }
}

const KEYS = ["first", "second", "third"];

const storages = new Map();

function storageOf(room) {
  let storage = storages.get(room);
  if (!storage) storages.set(room, (storage = new Storage()));
  return storage;
}

const server = createServer();
const io = new Server(server, { transports: ["websocket"], serveClient: false });

const bench = io.of("/bench");
bench.on("connection", (socket) => {
  const room = String(socket.handshake.query.room ?? "default");
  socket.conn.request = null;
  socket.join(room);
  socket.on("echo", (note) => {
    socket.emit("echo", { n: note.n, text: note.text, at: Date.now() });
  });
  socket.on("say", (note) => {
    bench.to(room).emit("say", { n: note.n, text: note.text, at: Date.now() });
  });
  socket.on("recall", async (note) => {
    const storage = storageOf(room);
    for (const key of KEYS) {
      if ((await storage.get(key)) === undefined) await storage.put(key, note.text);
    }
    socket.emit("recall", { n: note.n, text: note.text, at: Date.now() });
  });
});
server.listen(0, "127.0.0.1", () => {
  const { address, port } = server.address();
  console.log(`listening on http://${address}:${port}`);
});

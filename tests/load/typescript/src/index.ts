/** What `tests/load/guest` does in Rust, and `tests/load/socketio` on socket.io. */

import { defineRoom } from "@parlor/guest";

interface Note {
  n: number;
  text: string;
}

const room = defineRoom({ name: "bench", websocketPath: "/bench" });

room.on("echo", (ctx, note: Note) => {
  ctx.emit.emit("echo", { n: note.n, text: note.text, at: Date.now() });
});

// The boundary alone, for the benchmark: the data goes back as it came.
room.on("relay", (ctx, note: Note) => {
  ctx.emit.emit("relay", note);
});

room.on("say", (ctx, note: Note) => {
  ctx.actor.emit.emit("say", { n: note.n, text: note.text, at: Date.now() });
});

const KEYS = ["first", "second", "third"];

room.on("recall", async (ctx, note: Note) => {
  const storage = ctx.actor.getStorage();
  for (const key of KEYS) {
    if ((await storage.get(key)) === undefined) await storage.put(key, note.text);
  }
  ctx.emit.emit("recall", { n: note.n, text: note.text, at: Date.now() });
});

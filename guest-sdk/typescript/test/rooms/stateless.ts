import { defineRoom } from "@parlor/guest";

const room = defineRoom({
  onDisconnect() {},
  onRestore(_, { reason }) {
    console.log(`stateless: ${reason}`);
  },
});
room.on("say", () => undefined);
room.on("ask", () => room.on("later", () => undefined));

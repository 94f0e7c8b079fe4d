import { config, defineRoom } from "@parlor/guest";

const said = (event: string) => (ctx: { actor: { emit: { emit(event: string, data?: unknown): number } } }, userId?: unknown) =>
  void ctx.actor.emit.emit(event, typeof userId === "string" ? { userId } : {});

const room = defineRoom({
  onStart() {
    room.keepHistory("news", { entries: Number(config("entries") ?? 2) });
    room.presence(config("presence") ?? "lobby");
  },
  onUserJoin: said("join"),
  onUserLeave: said("leave"),
  onLost: said("lost"),
  onBack: said("back"),
});
room.on("headline", (ctx, text: string) => void ctx.actor.emitToChannel("news", "headline", { text }));
room.on("headlines", (ctx, after?: unknown) => {
  const { entries, recovered } = ctx.actor.history.read("news", typeof after === "string" ? { after } : {});
  ctx.emit.emit("headlines", { texts: entries.map(({ data }) => data.text), recovered, last: ctx.actor.history.position("news") });
});
room.on("keep", () => room.keepHistory("late"));
// Channels that handlers write to a meta are joins and leaves.
room.on("enter", (ctx) => void ctx.meta.channels.push("lobby"));
room.on("exit", (ctx) => {
  ctx.meta.channels = ctx.meta.channels.filter((channel) => channel !== "lobby");
});

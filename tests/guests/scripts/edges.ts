/** What the engine itself has to bear: the end of its stack, and texts that are no Unicode. */

import { defineRoom, reject, type RoomContext } from "@parlor/guest";

const room = defineRoom({ name: "edges", websocketPath: "/edges" });

/** Deeper than any stack. */
const DEPTH = 20_000;

function nested(wrap: (inner: unknown) => unknown): any {
  let value: unknown = wrap(null);
  for (let level = 0; level < DEPTH; level += 1) value = wrap(value);
  return value;
}

const array = () => nested((inner) => [inner]);
const object = () => nested((inner) => ({ inner }));

/** How deep plain functions got. */
let depth = 0;

/** Each ends the stack in its own way. */
const FORMS: Record<string, () => unknown> = {
  plain: function again(): unknown {
    depth += 1;
    return [again()];
  },
  callback: function again(): unknown {
    return [1].map(again);
  },
  sort: function again(): unknown {
    return [1, 2].sort(again as () => number);
  },
  replace: function again(): unknown {
    return "a".replace(/a/, again as () => string);
  },
  reflect: function again(): unknown {
    return Reflect.apply(again, undefined, []);
  },
  bound() {
    // Its name would grow with each.
    const anonymous = Object.defineProperty(() => 1, "name", { value: "" });
    let bound: () => unknown = anonymous;
    for (let level = 0; level < 2_000; level += 1) bound = Object.defineProperty(bound.bind(null), "name", { value: "" });
    return bound();
  },
  getter() {
    const endless = {
      get inner(): unknown {
        return [this.inner];
      },
    };
    return endless.inner;
  },
  proxy() {
    return nested((inner) => new Proxy(inner ?? {}, {})).field;
  },
  async: async function again(): Promise<unknown> {
    return [await again()];
  },
  generator() {
    function* again(): Generator {
      yield* again();
    }
    return [...again()];
  },
  toString() {
    const endless = { toString: (): string => `${endless}` };
    return String(endless);
  },
  toJSON() {
    const endless = { toJSON: (): unknown => JSON.parse(JSON.stringify(endless)) };
    return JSON.stringify(endless);
  },
  parse: () => JSON.parse("[".repeat(DEPTH)),
  parseObjects: () => JSON.parse('{"inner":'.repeat(DEPTH)),
  parseWhole: () => JSON.parse("[".repeat(DEPTH) + "]".repeat(DEPTH)),
  stringify: () => JSON.stringify(array()),
  stringifyObjects: () => JSON.stringify(object()),
  clone: () => structuredClone(array()),
  cloneObjects: () => structuredClone(object()),
  string: () => String(array()),
  flat: () => array().flat(Infinity),
  evaluate: () => new Function(`return ${"(".repeat(DEPTH)}1${")".repeat(DEPTH)}`),
  evaluateArrays: () => new Function(`return ${"[".repeat(DEPTH)}1${"]".repeat(DEPTH)}`),
  evaluateBlocks: () => new Function("{".repeat(DEPTH) + "}".repeat(DEPTH)),
};

room.on("forms", (ctx) => void ctx.emit.emit("forms", Object.keys(FORMS)));
room.on("deep", async (ctx, { form }: { form: string }) => {
  depth = 0;
  try {
    await FORMS[form]!();
    ctx.emit.emit("ended", { form, name: "nothing", depth });
  } catch (error: any) {
    ctx.emit.emit("ended", { form, name: error.name, depth });
  }
});
room.on("deepest", (ctx) => void ctx.emit.emit("deepest", array()));

/** Each gives the host a text. */
room.on("text", async (ctx, { text, how }: { text: string; how: string }) => {
  const { actor } = ctx;
  const storage = actor.getStorage();
  switch (how) {
    case "log":
      console.log("said", text);
      break;
    case "event":
      ctx.emit.emit(text, {});
      break;
    case "target":
      ctx.emit.to(text).emit("x", {});
      break;
    case "channel":
      actor.emit.to(text).except([text]).emit("x", {});
      break;
    case "user":
      actor.emit.toUser(text).emit("x", {});
      break;
    case "clients":
      actor.emit.toClients([text]).emit("x", {});
      break;
    case "join":
      ctx.join(text);
      ctx.leave(text);
      break;
    case "meta":
      ctx.setMeta({ text, [text]: 1 });
      break;
    case "ask":
      ctx.ask(text, {}, { name: text });
      break;
    case "timer":
      actor.timers.set(text, 60_000, { text });
      actor.timers.cancel(text);
      break;
    case "storage":
      await storage.put(text, text);
      await storage.put({ [text]: text });
      await storage.list({ prefix: text, after: text });
      await storage.get([text]);
      await storage.delete([text]);
      break;
    case "handler":
      room.on(text, () => undefined);
      room.off(text);
      break;
    case "config":
      actor.config(text);
      break;
    case "reject":
      return reject(text, text);
    case "throw":
      throw new Error(text, { cause: text });
    case "answer":
      return text;
    case "close":
      ctx.close(1000, text);
      break;
  }
  ctx.emit.emit("fine", { how });
});

room.on("clone", (ctx, data) => {
  const copy: any = structuredClone(data);
  ctx.emit.emit("cloned", { admin: copy.admin ?? null, keys: Object.keys(copy) });
});
room.on("promise", (ctx) => void ctx.emit.emit("promise", { value: ctx.actor.getStorage().get("secret") }));
room.on("time", (ctx) => {
  const [first, second] = [performance.now(), performance.now()];
  ctx.emit.emit("time", { isSame: first === second, since: Math.abs(performance.timeOrigin + first - Date.now()) });
});
room.on("finally", async (ctx) => {
  const said: string[] = [];
  async function* numbers() {
    try {
      yield 1;
      yield 2;
    } finally {
      await null;
      said.push("finally");
    }
  }
  for await (const number of numbers()) {
    said.push(`${number}`);
    break;
  }
  ctx.emit.emit("finally", said);
});
/** More than any bound, and less than the host copies for one call. */
const LARGE = 3_000_000;
const large = () => "x".repeat(LARGE);

/** Each hands the host too much at once. */
const HANDED: Record<string, (ctx: RoomContext) => unknown> = {
  text: (ctx) => ctx.emit.emit("large", large()),
  bytes: (ctx) => ctx.emit.emit("large", new Uint8Array(LARGE)),
  event: (ctx) => ctx.emit.emit(large(), {}),
  key: (ctx) => ctx.actor.getStorage().get(large()),
  value: (ctx) => ctx.actor.getStorage().put("large", large()),
  keys: (ctx) => ctx.actor.getStorage().get(new Array(60_000).fill("key")),
  timer: (ctx) => ctx.actor.timers.set("large", 1_000, large()),
};
room.on("hand", async (ctx, { what }: { what: string }) => {
  try {
    await HANDED[what]!(ctx);
    ctx.emit.emit("handed", { what, why: "nothing" });
  } catch (error: any) {
    ctx.emit.emit("handed", { what, why: error.name });
  }
});
room.on("hands", (ctx) => void ctx.emit.emit("hands", Object.keys(HANDED)));
room.on("unreadable", () => {
  throw Object.defineProperty(new Error("hidden"), "message", {
    get() {
      throw new Error("not for you");
    },
  });
});

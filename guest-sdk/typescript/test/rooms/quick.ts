/** What the engine does by itself where it can, beside what the language says of it: the room of `quick.test.ts`. */

import { defineRoom } from "@parlor/guest";
import { ordered } from "./orders.js";

const room = defineRoom();

class Named {
  own = 1;
  toJSON(): string {
    return "named";
  }
}

function rope(): string {
  let text = "";
  for (let at = 0; at < 300; at += 1) text += `é${at}😀`;
  return text;
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let at = 0; at < levels; at += 1) value = at % 2 === 0 ? [value] : { value };
  return value;
}

const shared = { n: 1 };
const holes = [1, , 3];
const longer = [1];
longer.length = 3;

/** Values whose forms in JSON differ in what they ask of a writer. */
const VALUES: Record<string, unknown> = {
  numbers: [0, -0, 1, -1, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 0.1, -1.5e-7, 1e21, 123456789012345680000, NaN, Infinity, 5e-324],
  texts: ["", "a\"b\\c/d", "\b\f\n\r\t\v\0\u001f\u007f", "é\u2028\u2029", "😀", rope(), "x".repeat(2_000)],
  long: ["é".repeat(1_500), "\n\"".repeat(1_500), `x${"😀".repeat(1_500)}`],
  longest: "\u0001".repeat(12_000),
  order: { b: 1, 2: "two", a: 2, 1: "one", "-1": 3, "01": 4, 4294967294: 5, 4294967295: 6 },
  leftOut: { a: undefined, b: () => 1, c: Symbol("c"), [Symbol("d")]: 1, e: null },
  inArrays: [undefined, () => 1, Symbol("c"), null],
  names: { 'quo"ted': 1, "é😀": 2, "": 3, constructor: 4 },
  holes,
  longer,
  boxes: [new Number(1), new String("s"), new Boolean(false)],
  others: [new Date(0), new Map([[1, 2]]), new Set([1]), /x/, new Error("e"), Object.create({ inherited: 1 })],
  getters: { get a() { return 1; }, b: 2 },
  hidden: Object.defineProperty({ a: 1 }, "b", { value: 2 }),
  forms: [new Named(), { toJSON: () => ({ n: 1 }) }, Object.create({ toJSON: () => "inherited" })],
  sharedTwice: [shared, shared],
  nullish: Object.assign(Object.create(null), { a: 1 }),
  proxied: new Proxy({ a: 1 }, {}),
  arrayWithNames: Object.assign([1, 2], { name: 3 }),
  deep: nested(100),
};
Object.defineProperty(VALUES, "proto", { value: JSON.parse('{"__proto__": {"a": 1}}'), enumerable: true });

room.on("write", (ctx, name: string) => {
  ctx.emit.emit("written", [JSON.stringify(VALUES[name])]);
  ctx.emit.emit("written", [VALUES[name]]);
});
room.on("names", (ctx) => {
  ctx.emit.emit("names", Object.keys(VALUES));
});

/** Tells what two values differ in; nothing where they are the same. */
function difference(one: any, other: any, path = ""): string | undefined {
  if (Object.is(one, other)) return undefined;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return `${path}: ${one}, ${other}`;
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return `${path}: prototypes`;
  const [names, others] = [Object.getOwnPropertyNames(one), Object.getOwnPropertyNames(other)];
  if (names.join() !== others.join()) return `${path}: ${names}, ${others}`;
  for (const name of names) {
    const found = difference(Object.getOwnPropertyDescriptor(one, name)!.value, Object.getOwnPropertyDescriptor(other, name)!.value, `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

room.on("read", async (ctx, text: string) => {
  const storage = ctx.actor.getStorage();
  await storage.putBytes("text", new TextEncoder().encode(text));
  const parsed = (() => {
    try {
      return JSON.parse(text);
    } catch {
      return "no JSON";
    }
  })();
  const read = await storage.get("text").catch((error: { code: string }) => (error.code === "json" ? "no JSON" : error.code));
  ctx.emit.emit("read", difference(read, parsed) ?? "same");
});

room.on("halves", (ctx) => {
  ctx.emit.emit("half", [{ a: "x\ud800y", "\udc00": ["\udfff"] }]);
  ctx.emit.emit("half", new Date(NaN), { toJSON: () => ["\ud83d\ude00\ud83d"] });
});
room.on("halfStored", async (ctx) => {
  await ctx.actor.getStorage().put("half", { half: "\ud800" });
  ctx.emit.emit("kept", (await ctx.actor.getStorage().get("half")).half.charCodeAt(0));
});
room.on("order", async (ctx) => {
  ctx.emit.emit("order", await ordered());
});

room.on("large", (ctx, letters: number) => {
  ctx.emit.emit("large", "x".repeat(letters));
});
room.on("change", (ctx) => {
  Object.setPrototypeOf(ctx.emit, null);
  Object.setPrototypeOf(ctx, null);
});
room.on("plain", (ctx) => {
  ctx.emit.emit("plain", ctx.args);
});

let kept: any;
room.on("keep", (ctx) => {
  kept = ctx;
  kept.mark = "mine";
});
room.on("look", (ctx) => {
  ctx.emit.emit("looked", [kept === ctx, kept.mark, (ctx as any).mark ?? null, kept.frame, kept.args]);
  kept.emit.emit("kept", "from the turn before");
});

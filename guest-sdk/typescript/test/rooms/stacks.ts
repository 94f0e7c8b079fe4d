/** Errors as an author reads them, and values that nobody can read. */

import { defineRoom } from "@parlor/guest";

const room = defineRoom();
const said = (value: unknown) => console.log(value);

function inner(): never {
  throw new TypeError("inner words");
}

function caught(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

room.on("caught", () => said(caught(inner).stack));
room.on("engine", () => said(caught(() => (null as unknown as { x: number }).x).stack));
room.on("parts", () => {
  const both = new AggregateError([caught(inner), "b"], "both");
  said([both.stack!.split("\n")[0], (both.errors[0] as Error).stack]);
  console.error(both);
});
room.on("captured", () => {
  class Own {
    name = "Own";
    message = "words";
    constructor() {
      (Error as unknown as { captureStackTrace(target: object, until: unknown): void }).captureStackTrace(this, Own);
    }
  }
  const own = new Own() as unknown as Error;
  said(own.stack);
  own.stack = "mine";
  said([own.stack, Object.keys(own)]);
  const plain = {};
  (Error as unknown as { captureStackTrace(target: object): void }).captureStackTrace(plain);
  said((plain as Error).stack);
});
room.on("written", () => {
  const error = caught(inner);
  error.stack += "\n    at home (elsewhere.ts:1)";
  console.error(error);
  error.message = "changed";
  said(error.stack!.split("\n")[0]);
});
room.on("prototype", () => said([Error.prototype.stack, Object.hasOwn(new Error("x"), "stack")]));
room.on("unreadable", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const named = () => 1;
  Object.defineProperty(named, "name", { get: inner });
  said([new Proxy({}, { ownKeys: inner, getPrototypeOf: inner, get: inner }), proxy, named, { get constructor() { return inner(); } }]);
});
room.on("frozen", () => {
  const before = Object.getOwnPropertyDescriptor(Object.prototype, "toString")!;
  Object.defineProperty(Object.prototype, "toString", { ...before, writable: false });
  said(structuredClone({ toString: 1, __proto__: null }));
  Object.defineProperty(Object.prototype, "toString", before);
});
class Shown {
  #hidden = 1;
  /* what nobody sees */ get hidden() {
    return this.#hidden;
  }
}
room.on("sources", () => {
  const made = new Function("a", "b", "return a + b") as (a: number, b: number) => number;
  const all = [inner, Shown, made, (a: number) => a + 1, async () => 1, Object.getOwnPropertyDescriptor(Shown.prototype, "hidden")!.get!];
  said(all.map((one) => String(one).replace(/\s+/g, " ")));
  said([made(1, 2), new Shown().hidden]);
});
room.on("half", (ctx) => ctx.emit.emit("half", { ["\ud83d"]: "\ud83d", type: 1 }));

/** What packages count on beyond the language: each says what it came to. */

import { answer, defineRoom } from "@parlor/guest";
import { Player } from "./web-player.ts";

/** The name of what a call throws. */
function thrown(run: () => unknown): string {
  try {
    run();
  } catch (error: any) {
    return error.name;
  }
  return "nothing";
}

const Named = class PaymentError extends Error {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
};

const tries: Record<string, () => unknown> = {
  names: () => {
    const inner = [class Player {}, function start() {}].map((one) => one.name);
    return [Named.name, new Named("x").name, Player.name, Player.other().name, ...inner];
  },
  weak: () => [new WeakRef({ a: 1 }).deref()?.a, String(new WeakRef({})), WeakRef.name],
  headers: () => {
    const headers = new Headers([["Set-Cookie", "a=1, x"], ["set-cookie", "b=2"], ["X", " 1\t"]]);
    return [headers.getSetCookie(), [...headers], thrown(() => headers.set("x", "1\n2")), String(headers)];
  },
  tags: () => [new TextEncoder(), new TextDecoder(), new Headers(), new AbortController().signal].map(String),
  decoder: () => thrown(() => new TextDecoder().decode("text" as never)),
  clone: () => {
    const buffer = new ArrayBuffer(4);
    const made = structuredClone({ buffer }, { transfer: [buffer] });
    const tagged = structuredClone({ a: 1, [Symbol.toStringTag]: "Promise" });
    const refused = [Promise.resolve(), new WeakMap(), [].values(), new WeakRef({})].map((one) => thrown(() => structuredClone(one)));
    return [buffer.byteLength, made.buffer.byteLength, tagged.a, refused, thrown(() => (structuredClone as () => unknown)())];
  },
  stack: () => {
    const error: any = new Error("x");
    error.stack = undefined;
    return [error.stack ?? null, Object.keys(error)];
  },
  utc: () => [new Date(0).toLocaleDateString("en-US", { timeZone: "UTC" }), thrown(() => new Date(0).toLocaleDateString("en", { timeZone: "Asia/Tokyo" }))],
  random: () => [new Float32Array(1), new Uint8Array(70_000)].map((one) => thrown(() => crypto.getRandomValues(one))),
  console: () => {
    console.log("%s is %d of %i, %f%% %j%c", "a", "1.5", 2.5, "3.5x", { b: 1 }, "color: red", "rest", [1]);
    console.log("100%", 5);
    console.log("%s");
    console.error("%o and %s", new Map([[1, 2]]), { c: 1 });
    console.group("in %s", "group");
    console.groupEnd();
    try {
      atob("a");
    } catch (error) {
      console.warn(error);
    }
  },
  blob: async () => {
    const blob = new Blob(["ü", Uint8Array.of(1, 2), new Blob(["x"])], { type: "Text/Plain" });
    return [blob.size, blob.type, await blob.slice(0, 2).text(), [...await blob.bytes()], String(blob)];
  },
  key: async () => {
    const key = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-512" }, true, ["sign"]);
    return (await crypto.subtle.exportKey("jwk", key) as { alg?: string }).alg;
  },
};

const room = defineRoom();
room.on("try", async (_ctx, name: string) => answer((await tries[name]!()) ?? null));

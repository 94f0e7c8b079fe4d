/** Packages about state, events and order. */

import { signal, computed, effect } from "@preact/signals-core";
import { Mutex } from "async-mutex";
import Emittery from "emittery";
import { Semaphore, delay } from "es-toolkit";
import EventEmitter from "eventemitter3";
import { EventEmitter as NodeEmitter, once } from "events";
import Fuse from "fuse.js";
import { Map as ImmutableMap } from "immutable";
import { TokenBucket } from "limiter";
import { LRUCache } from "lru-cache";
import mitt from "mitt";
import { autorun, makeAutoObservable } from "mobx";
import { atom, computed as computedAtom } from "nanostores";
import PQueue from "p-queue";
import { createStore } from "redux";
import { Subject, filter, map } from "rxjs";
import { proxy, snapshot } from "valtio/vanilla";
import { createActor, createMachine } from "xstate";
import { createStore as createZustand } from "zustand/vanilla";

export const state: Record<string, () => unknown> = {
  "@preact/signals-core": () => {
    const [seen, count] = [[] as number[], signal(1)];
    const twice = computed(() => count.value * 2);
    effect(() => void seen.push(twice.value));
    count.value = 2;
    return seen;
  },
  emittery: async () => {
    const heard: unknown[] = [];
    const emitter = new Emittery();
    emitter.on("n", (event: any) => void heard.push(event?.data ?? event));
    await emitter.emit("n", 1);
    return heard;
  },
  "es-toolkit": async () => {
    const one = new Semaphore(1);
    await one.acquire();
    one.release();
    await delay(10);
    return one.available;
  },
  events: async () => {
    const emitter = new NodeEmitter();
    const heard = once(emitter, "n");
    emitter.emit("n", 1);
    return heard;
  },
  "fuse.js": () => new Fuse(["ada", "bob"]).search("adda").map(({ item }) => item),
  immutable: () => ImmutableMap<string, number>({ a: 1 }).set("b", 2).toJS(),
  nanostores: () => {
    const [seen, count] = [[] as number[], atom(1)];
    computedAtom(count, (n) => n * 2).subscribe((n) => void seen.push(n));
    count.set(2);
    return seen;
  },
  valtio: () => {
    const counter = proxy({ n: 1 });
    counter.n += 1;
    return snapshot(counter).n;
  },
  eventemitter3: () => {
    const heard: number[] = [];
    const emitter = new EventEmitter();
    emitter.once("n", (n: number) => heard.push(n));
    emitter.emit("n", 1);
    emitter.emit("n", 2);
    return heard;
  },
  mitt: () => {
    const heard: unknown[] = [];
    const emitter = mitt();
    emitter.on("*", (type, event) => heard.push(type, event));
    emitter.emit("a", 1);
    return heard;
  },
  mobx: () => {
    const seen: number[] = [];
    const counter = makeAutoObservable({ n: 1, add() { this.n += 1; } });
    autorun(() => seen.push(counter.n));
    counter.add();
    return seen;
  },
  redux: () => {
    const store = createStore((n: number = 0, action: { type: string }) => (action.type === "add" ? n + 1 : n));
    store.dispatch({ type: "add" });
    return store.getState();
  },
  zustand: () => {
    const store = createZustand<{ n: number }>(() => ({ n: 1 }));
    store.setState((before) => ({ n: before.n + 1 }));
    return store.getState().n;
  },
  rxjs: () => {
    const seen: number[] = [];
    const source = new Subject<number>();
    source.pipe(filter((n) => n > 1), map((n) => n * 10)).subscribe((n) => seen.push(n));
    [1, 2, 3].forEach((n) => source.next(n));
    return seen;
  },
  xstate: () => {
    const machine = createMachine({ initial: "off", states: { off: { on: { flip: "on" } }, on: {} } });
    const actor = createActor(machine).start();
    actor.send({ type: "flip" });
    return actor.getSnapshot().value;
  },
  "lru-cache": () => {
    const cache = new LRUCache<string, number>({ max: 1, ttl: 1_000 });
    cache.set("a", 1).set("b", 2);
    return [cache.get("a") ?? null, cache.get("b")];
  },
  limiter: () => {
    const bucket = new TokenBucket({ bucketSize: 1, tokensPerInterval: 1, interval: "second" });
    bucket.content = 1;
    return [bucket.tryRemoveTokens(1), bucket.tryRemoveTokens(1)];
  },
  "p-queue": async () => {
    const order: number[] = [];
    const queue = new PQueue({ concurrency: 1 });
    await Promise.all([1, 2].map((n) => queue.add(async () => void order.push(n))));
    return order;
  },
  "async-mutex": () => new Mutex().runExclusive(() => "alone"),
};

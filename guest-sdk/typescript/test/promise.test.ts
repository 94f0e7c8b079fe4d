/** The promises of plugins: what JavaScript says of promises, on a queue that is run by hand. */

import assert from "node:assert/strict";
import test from "node:test";
import { Later as Ours, drain, enqueue, outcome, takeUnhandled } from "../src/promise.js";

const Later = Ours as unknown as PromiseConstructor;

function run(): void {
  drain((error) => {
    throw error;
  });
}

/** The same program on node's promises and on ours: the order in which things happen is the same. */
async function sameOrder(program: (P: PromiseConstructor, note: (what: string) => void, microtask: (call: () => void) => void) => void) {
  const [ours, theirs]: [string[], string[]] = [[], []];
  program(Promise, (what) => theirs.push(what), queueMicrotask);
  await new Promise((resolve) => setTimeout(resolve));
  program(Later, (what) => ours.push(what), enqueue);
  run();
  assert.deepEqual(ours, theirs);
  assert.ok(ours.length > 0);
  takeUnhandled();
}

test("jobs run in JavaScript's order", async () => {
  await sameOrder((P, note, microtask) => {
    note("sync");
    P.resolve(1).then((n) => note(`a${n}`)).then(() => note("b"));
    microtask(() => note("micro"));
    new P<number>((resolve) => resolve(P.resolve(2) as any)).then((n) => note(`adopted ${n}`));
    P.resolve({ then: (resolve: any) => resolve(3) }).then((n: any) => note(`thenable ${n}`));
    P.reject(new Error("x")).catch((error) => note(error.message)).finally(() => note("finally"));
    P.resolve(4).finally(() => P.reject(new Error("late"))).catch((error) => note(error.message));
    for (let i = 0; i < 6; i += 1) P.resolve().then(() => note(`tick ${i}`)).then(() => note(`tock ${i}`));
    note("end");
  });
});

test("the forms with many promises come to the same", async () => {
  await sameOrder((P, note) => {
    const told = (name: string) => [
      (value: unknown) => note(`${name}: ${JSON.stringify(value)}`),
      // Engines have words of their own for a mistake in a type.
      (error: any) => note(`${name} failed: ${error instanceof TypeError || (error.message ?? error)} ${error.errors ?? ""}`),
    ] as const;
    P.all([1, P.resolve(2), { then: (r: any) => r(3) }]).then(...told("all"));
    P.all([]).then(...told("all of none"));
    P.all([P.reject(new Error("one")), P.reject(new Error("two"))]).then(...told("all failing"));
    P.allSettled([P.reject(1), 2]).then(...told("allSettled"));
    P.any([P.reject("a"), P.resolve("b")]).then(...told("any"));
    P.any([P.reject("a"), P.reject("b")]).then(...told("any of failing"));
    P.race([new P(() => {}), P.resolve("first"), P.reject("second")]).then(...told("race"));
    P.all(5 as any).then(...told("all of a number"));
  });
});

test("a promise settles once, and never with itself", () => {
  let resolve!: (value: unknown) => void;
  const promise = new Ours((r, reject) => {
    resolve = r;
    r(1);
    r(2);
    reject(new Error("no"));
    throw new Error("nor this");
  });
  run();
  assert.deepEqual(outcome(promise), { settled: true, rejected: false, value: 1 });
  const { promise: self, resolve: own } = Ours.withResolvers();
  own(self);
  run();
  assert.ok(outcome(self).rejected && outcome(self).value instanceof TypeError);
  assert.throws(() => new Ours(undefined as any), TypeError);
  resolve(3);
});

test("try and withResolvers", () => {
  const tried = [Ours.try((n: number) => n + 1, 1), Ours.try(() => { throw new Error("x"); })];
  run();
  assert.deepEqual(tried.map((promise) => outcome(promise).value instanceof Error || outcome(promise).value), [2, true]);
});

test("subclasses stay what they are", () => {
  class Mine<T> extends (Ours as any)<T> {}
  const made = (Mine as any).resolve(1);
  const next = made.then((n: number) => n + 1);
  run();
  assert.ok(made instanceof Mine && next instanceof Mine && next instanceof Ours);
  assert.equal(outcome(next as any).value, 2);
});

test("rejections that nobody asks for are told once; those that somebody does are not", () => {
  const [kept, lost] = [Ours.reject(new Error("kept")), Ours.reject(new Error("lost"))];
  const chain = Ours.resolve(1).then(() => { throw new Error("chain"); });
  run();
  kept.catch(() => undefined);
  run();
  assert.deepEqual(takeUnhandled().map((error: any) => error.message).sort(), ["chain", "lost"]);
  assert.deepEqual(takeUnhandled(), []);
  void [lost, chain];
});

test("a long chain takes no stack", () => {
  let promise: any = Ours.resolve(0);
  for (let i = 0; i < 20_000; i += 1) promise = promise.then((n: number) => n + 1);
  let nested: any = Ours.resolve("deep");
  for (let i = 0; i < 5_000; i += 1) {
    const inner = nested;
    nested = new Ours((resolve) => resolve(inner));
  }
  run();
  assert.deepEqual([outcome(promise).value, outcome(nested).value], [20_000, "deep"]);
});

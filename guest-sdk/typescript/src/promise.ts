/**
 * Promises that run without the engine's job queue: in a component nothing ever runs that queue. Their jobs wait in a
 * queue of our own, which `drain` runs.
 *
 * `async` functions are lowered by the build to generators over the global `Promise`, which this class is.
 */

const PENDING = 0;
const FULFILLED = 1;
const REJECTED = 2;

type State = typeof PENDING | typeof FULFILLED | typeof REJECTED;
type Settle = (value: any) => void;

/** What is to happen when a promise settles. Without handlers the outcome itself goes on to `derived`. */
interface Reaction {
  derived: Later<any>;
  onFulfilled: Settle | undefined;
  onRejected: Settle | undefined;
}

/** Says to the constructor that nobody needs its two functions. */
const BARE: any = () => {};

/** Jobs that wait; each takes two places, what is to be done and with what. Of a promise's: the promise, and who waits. */
let jobs: unknown[] = [];
/** Rejected promises that nobody has asked for yet. */
const unhandled = new Set<Later<any>>();

/** The global `Promise` of plugins. */
export class Later<T> implements PromiseLike<T> {
  declare _state: State;
  declare _value: any;
  declare _reactions: (Reaction | Coroutine)[] | undefined;
  declare _handled: boolean;

  constructor(executor: (resolve: (value: T | PromiseLike<T>) => void, reject: (reason?: any) => void) => void) {
    // Fields that are declared would cost the call of a function of their own.
    this._state = PENDING;
    this._value = undefined;
    this._reactions = undefined;
    this._handled = false;
    if (executor === BARE) return;
    if (typeof executor !== "function") throw new TypeError("a promise needs a function");
    const { resolve, reject } = resolvers(this);
    try {
      executor(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  then(onFulfilled?: any, onRejected?: any): Later<any> {
    const base = this.constructor === Later;
    const derived: Later<any> = base ? new Later(BARE) : new (this.constructor as typeof Later)(() => {});
    subscribe(this, {
      derived,
      onFulfilled: typeof onFulfilled === "function" ? onFulfilled : undefined,
      onRejected: typeof onRejected === "function" ? onRejected : undefined,
    });
    return derived;
  }

  catch(onRejected?: any): Later<any> {
    return this.then(undefined, onRejected);
  }

  finally(onFinally?: any): Later<any> {
    if (typeof onFinally !== "function") return this.then(onFinally, onFinally);
    return this.then(
      (value: T) => Later.resolve(onFinally()).then(() => value),
      (reason: unknown) =>
        Later.resolve(onFinally()).then(() => {
          throw reason;
        }),
    );
  }

  get [Symbol.toStringTag](): string {
    return "Promise";
  }

  static get [Symbol.species]() {
    return this;
  }

  static resolve(this: any, value?: any): Later<any> {
    if (value instanceof Later && value.constructor === this) return value;
    const promise = new this(bareFor(this));
    resolve(promise, value);
    return promise;
  }

  static reject(this: any, reason?: any): Later<never> {
    const promise = new this(bareFor(this));
    settle(promise, REJECTED, reason);
    return promise;
  }

  static withResolvers(this: any) {
    const promise = new this(bareFor(this));
    return { promise, ...resolvers(promise) };
  }

  static try(this: any, run: (...args: any[]) => any, ...args: any[]): Later<any> {
    return new this((resolve: Settle) => resolve(run(...args)));
  }

  static all(this: any, values: Iterable<any>): Later<any[]> {
    return collect(this, values, (results, index, left) => ({
      onFulfilled: (value) => {
        results[index] = value;
        left.done();
      },
    }));
  }

  static allSettled(this: any, values: Iterable<any>): Later<any[]> {
    return collect(this, values, (results, index, left) => ({
      onFulfilled: (value) => {
        results[index] = { status: "fulfilled", value };
        left.done();
      },
      onRejected: (reason) => {
        results[index] = { status: "rejected", reason };
        left.done();
      },
    }));
  }

  static any(this: any, values: Iterable<any>): Later<any> {
    return collect(
      this,
      values,
      (errors, index, left, resolve) => ({
        onFulfilled: resolve,
        onRejected: (reason) => {
          errors[index] = reason;
          left.done();
        },
      }),
      (errors, _resolve, reject) => reject(new AggregateError(errors, "All promises were rejected")),
    );
  }

  static race(this: any, values: Iterable<any>): Later<any> {
    return new this((resolve: Settle, reject: Settle) => {
      for (const value of values) this.resolve(value).then(resolve, reject);
    });
  }
}

/** The constructor's argument for a promise that is settled from in here: a subclass may insist on a function. */
function bareFor(constructor: unknown): any {
  return constructor === Later ? BARE : () => {};
}

function resolvers(promise: Later<any>): { resolve: Settle; reject: Settle } {
  let called = false;
  return {
    resolve: (value) => {
      if (called) return;
      called = true;
      resolve(promise, value);
    },
    reject: (reason) => {
      if (called) return;
      called = true;
      settle(promise, REJECTED, reason);
    },
  };
}

/** What the forms with many promises have in common: a result a value, and an end when all are there. */
function collect(
  constructor: any,
  values: Iterable<any>,
  watch: (
    results: any[],
    index: number,
    left: { done(): void },
    resolve: Settle,
  ) => { onFulfilled: Settle; onRejected?: Settle },
  finish: (results: any[], resolve: Settle, reject: Settle) => void = (results, resolve) => resolve(results),
): Later<any> {
  return new constructor((resolve: Settle, reject: Settle) => {
    const results: any[] = [];
    let count = 1;
    const left = {
      done() {
        count -= 1;
        if (count === 0) finish(results, resolve, reject);
      },
    };
    let index = 0;
    for (const value of values) {
      results.push(undefined);
      count += 1;
      const { onFulfilled, onRejected = reject } = watch(results, index, left, resolve);
      constructor.resolve(value).then(onFulfilled, onRejected);
      index += 1;
    }
    left.done();
  });
}

function resolve(promise: Later<any>, value: any): void {
  if (value === promise) return settle(promise, REJECTED, new TypeError("a promise cannot be resolved with itself"));
  if ((typeof value !== "object" || value === null) && typeof value !== "function") {
    return settle(promise, FULFILLED, value);
  }
  let then: unknown;
  try {
    then = value.then;
  } catch (error) {
    return settle(promise, REJECTED, error);
  }
  if (typeof then !== "function") return settle(promise, FULFILLED, value);
  if (then === Later.prototype.then && value.constructor === Later) {
    // As the general case below, without its two closures.
    jobs.push(adopt, [value, promise]);
  } else {
    jobs.push(follow, [value, then, promise]);
  }
}

function adopt([value, promise]: [Later<any>, Later<any>]): void {
  subscribe(value, { derived: promise, onFulfilled: undefined, onRejected: undefined });
}

function follow([value, then, promise]: [object, Function, Later<any>]): void {
  const { resolve, reject } = resolvers(promise);
  try {
    then.call(value, resolve, reject);
  } catch (error) {
    reject(error);
  }
}

function settle(promise: Later<any>, state: State, value: unknown): void {
  if (promise._state !== PENDING) return;
  promise._state = state;
  promise._value = value;
  if (state === REJECTED && !promise._handled) unhandled.add(promise);
  const reactions = promise._reactions;
  if (reactions === undefined) return;
  promise._reactions = undefined;
  for (const reaction of reactions) jobs.push(promise, reaction);
}

function subscribe(promise: Later<any>, reaction: Reaction | Coroutine): void {
  if (!promise._handled) {
    promise._handled = true;
    if (promise._state === REJECTED) unhandled.delete(promise);
  }
  if (promise._state !== PENDING) jobs.push(promise, reaction);
  else if (promise._reactions === undefined) promise._reactions = [reaction];
  else promise._reactions.push(reaction);
}

function react(promise: Later<any>, { derived, onFulfilled, onRejected }: Reaction): void {
  const handler = promise._state === FULFILLED ? onFulfilled : onRejected;
  if (handler === undefined) return settle(derived, promise._state, promise._value);
  let value: unknown;
  try {
    value = handler(promise._value);
  } catch (error) {
    return settle(derived, REJECTED, error);
  }
  resolve(derived, value);
}

/** An async function that runs: the build makes generators of them, in which `yield` stands for `await`. */
class Coroutine {
  constructor(
    readonly steps: Generator<unknown, unknown, unknown>,
    readonly answer: Later<any>,
  ) {}
}

/** What the build calls an async function by, in the place of the bundler's own helper. */
export function runAsync(self: unknown, args: any, body: (...args: any[]) => Generator<unknown, unknown, unknown>): Later<any> {
  const answer: Later<any> = new Later(BARE);
  let steps: Generator<unknown, unknown, unknown>;
  try {
    steps = body.apply(self, args);
  } catch (error) {
    settle(answer, REJECTED, error);
    return answer;
  }
  proceed(new Coroutine(steps, answer), FULFILLED, undefined, false);
  return answer;
}

/**
 * Runs an async function up to what it waits for next. `alone` says that this is a job and no other one waits: then what
 * has its value already needs none of its own, since that would run next anyway.
 */
function proceed(coroutine: Coroutine, state: State, value: unknown, alone: boolean): void {
  const { steps, answer } = coroutine;
  const queued = jobs.length;
  for (;;) {
    let step: IteratorResult<unknown, unknown>;
    try {
      step = state === REJECTED ? steps.throw(value) : steps.next(value);
    } catch (error) {
      return settle(answer, REJECTED, error);
    }
    if (step.done) return resolve(answer, step.value);
    const awaited = awaitedBy(step.value);
    if (!alone || awaited._state !== FULFILLED || jobs.length !== queued) return subscribe(awaited, coroutine);
    state = FULFILLED;
    value = awaited._value;
  }
}

/** What `await` waits for: as `Promise.resolve`, whose many cases cost more than the usual two. */
function awaitedBy(value: any): Later<any> {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return fulfilled(value);
  return Object.getPrototypeOf(value) === Later.prototype ? value : Later.resolve(value);
}

/** A promise that has its value, which must be no promise itself. */
export function fulfilled(value: unknown): Later<any> {
  const promise: Later<any> = new Later(BARE);
  promise._state = FULFILLED;
  promise._value = value;
  return promise;
}

/** The global `queueMicrotask`. */
export function enqueue(callback: () => void): void {
  if (typeof callback !== "function") throw new TypeError("queueMicrotask takes a function");
  jobs.push(callback, undefined);
}

/** Runs jobs until none is left. What a callback of `queueMicrotask` throws goes to `failed`; the rest goes on. */
export function drain(failed: (error: unknown) => void): void {
  let next = 0;
  while (next < jobs.length) {
    const what = jobs[next];
    const given = jobs[next + 1];
    next += 2;
    // A long chain would otherwise keep all that it has done.
    if (next >= 1024) {
      jobs = jobs.slice(next);
      next = 0;
    }
    if (typeof what !== "function") {
      const promise = what as Later<any>;
      const waiting = given as Reaction | Coroutine;
      if ("steps" in waiting) proceed(waiting, promise._state, promise._value, next >= jobs.length);
      else react(promise, waiting);
    } else {
      try {
        (what as (given: unknown) => void)(given);
      } catch (error) {
        failed(error);
      }
    }
  }
  if (next > 0) jobs = [];
}

/** The outcome of a promise as it stands now; asking is handling it. */
export function outcome(promise: Later<any>): { settled: boolean; rejected: boolean; value: unknown } {
  promise._handled = true;
  unhandled.delete(promise);
  return { settled: promise._state !== PENDING, rejected: promise._state === REJECTED, value: promise._value };
}

/** Whether no job waits, and no rejection is without a handler. */
export function isIdle(): boolean {
  return jobs.length === 0 && unhandled.size === 0;
}

/** Takes the reasons of those rejected promises that nobody has asked for. */
export function takeUnhandled(): unknown[] {
  if (unhandled.size === 0) return [];
  const reasons = Array.from(unhandled, (promise) => promise._value);
  unhandled.clear();
  return reasons;
}

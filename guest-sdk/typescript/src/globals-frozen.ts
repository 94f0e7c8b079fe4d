/**
 * Time and randomness for the dependencies that `parlor.topLevel` of a package.json names: while they are loaded what was made
 * once, when the plugin was built; later the host's, also where they kept ours. `build/frozen.mjs` writes the calls of
 * `enter` and `leave` around their files.
 */

const { random: hostRandom } = Math;
const HostDate = Date;
const hostCrypto = crypto;

/** How many files of such dependencies are being evaluated, each within the other. */
let depth = 0;

/** What the host gives; while such a dependency is loaded and there is none to ask, something in its place. */
function orFrozen<T>(ask: () => T, frozen: () => T): T {
  try {
    return ask();
  } catch (error) {
    if (depth === 0) throw error;
    return frozen();
  }
}

/** The build leaves it there, in milliseconds: a moment that is the same in every build. */
const builtAt = (): number => (globalThis as any).__parlorBuiltAt;

/** Marsaglia's xorshift: the same numbers in every build, so that a build can be repeated. */
let state = 0x2545f491;
function next(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}

const random = (): number => orFrozen(hostRandom, () => next() / 2 ** 32);
const now = (): number => orFrozen(() => HostDate.now(), builtAt);

function FrozenDate(this: unknown, ...args: unknown[]): unknown {
  if (new.target === undefined) return new HostDate(now()).toString();
  return Reflect.construct(HostDate, args.length === 0 ? [now()] : args, new.target);
}
Object.defineProperties(FrozenDate, Object.getOwnPropertyDescriptors(HostDate));
Object.defineProperty(FrozenDate, "now", { value: now });

function getRandomValues<T extends ArrayBufferView>(array: T): T {
  const fill = (): T => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = next();
    return array;
  };
  return orFrozen(() => hostCrypto.getRandomValues(array), fill);
}

function randomUUID(): string {
  const frozen = (): string => {
    const hex = Array.from(getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
  };
  return orFrozen<string>(() => hostCrypto.randomUUID(), frozen);
}

const frozenCrypto = Object.create(hostCrypto, {
  getRandomValues: { value: getRandomValues },
  randomUUID: { value: randomUUID },
});

const ours = { Date: FrozenDate, performance: { timeOrigin: 0, now }, crypto: frozenCrypto };
const theirs = { Date: HostDate, performance: (globalThis as any).performance, crypto: hostCrypto };

function put(globals: object, math: () => number): void {
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  }
  Math.random = math;
}

Object.defineProperty(globalThis, "__parlorFrozen", {
  value: {
    enter(): void {
      if (depth === 0) put(ours, random);
      depth += 1;
    },
    leave(): void {
      depth -= 1;
      if (depth === 0) put(theirs, hostRandom);
    },
  },
});

/**
 * The part of node's test runner that tests of rooms need. A test file runs in node, but a room does not: `@types/node` would
 * let the room's own files use all of node.
 */

declare module "node:test" {
  /** What a test is given. */
  export interface TestContext {
    readonly name: string;
    /** Runs a test within this one. */
    test(name: string, run: (t: TestContext) => unknown): Promise<void>;
    /** Runs when this test has ended. */
    after(run: () => unknown): void;
    /** Says something with the test's result. */
    diagnostic(message: string): void;
    /** Marks this test as left out. */
    skip(message?: string): void;
  }
  export interface TestOptions {
    /** Runs only this test, where node is started with `--test-only`. */
    only?: boolean;
    /** Leaves the test out, for this reason. */
    skip?: boolean | string;
    /** The test may fail, for this reason. */
    todo?: boolean | string;
  }
  interface Test {
    (name: string, run: (t: TestContext) => unknown): Promise<void>;
    (name: string, options: TestOptions, run: (t: TestContext) => unknown): Promise<void>;
  }
  /** A test: it fails where `run` throws or rejects. */
  export const test: Test;
  export const it: Test;
  /** Tests that belong together. */
  export function describe(name: string, run: () => unknown): Promise<void>;
  export function before(run: () => unknown): void;
  export function after(run: () => unknown): void;
  export function beforeEach(run: () => unknown): void;
  export function afterEach(run: () => unknown): void;
  export default test;
}

declare module "node:assert/strict" {
  /** What an error must be: of a class, like a pattern, with these fields, or as a function says. */
  type Expected = RegExp | object | ((thrown: any) => boolean) | (new (...args: any[]) => object);
  interface Assert {
    /** Throws where the value is falsy. */
    (value: unknown, message?: string | Error): asserts value;
    ok(value: unknown, message?: string | Error): asserts value;
    equal(actual: unknown, expected: unknown, message?: string | Error): void;
    notEqual(actual: unknown, expected: unknown, message?: string | Error): void;
    deepEqual(actual: unknown, expected: unknown, message?: string | Error): void;
    notDeepEqual(actual: unknown, expected: unknown, message?: string | Error): void;
    match(text: string, pattern: RegExp, message?: string | Error): void;
    doesNotMatch(text: string, pattern: RegExp, message?: string | Error): void;
    throws(run: () => unknown, message?: string): void;
    throws(run: () => unknown, expected: Expected, message?: string): void;
    doesNotThrow(run: () => unknown, message?: string): void;
    rejects(run: Promise<unknown> | (() => Promise<unknown>), expected?: Expected, message?: string): Promise<void>;
    fail(message?: string | Error): never;
  }
  const assert: Assert;
  export default assert;
  export { assert };
}

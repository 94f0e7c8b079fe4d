/** `async` functions of plugins: how the build calls them, and in which order they run. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import test from "node:test";
import { withOwnAsync } from "../build/async.mjs";
import { Later, drain, runAsync } from "../src/promise.js";

type Body = () => Generator<any, any, any>;
type Spawn = (body: Body) => Promise<any>;

/** What an `async` function with these awaits does, by node's own. */
async function native(body: Body): Promise<any> {
  const steps = body();
  let step = steps.next();
  while (!step.done) {
    let value: any;
    try {
      value = await step.value;
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(value);
  }
  return step.value;
}

/** Several that wait for values, promises, failures and each other, beside jobs of other kinds. */
function program(spawn: Spawn, P: PromiseConstructor, note: (what: string) => void): void {
  const walk = (name: string) =>
    spawn(function* () {
      note(`${name} begins`);
      note(`${name} ${yield 1}`);
      note(`${name} ${yield P.resolve(2)}`);
      try {
        yield P.reject(new Error(`${name} is caught`));
      } catch (error: any) {
        note(error.message);
      }
      note(`${name} ${yield { then: (resolve: (value: number) => void) => resolve(3) }}`);
      return name;
    });
  walk("a").then((name) => note(`${name} is done`));
  note("goes on");
  spawn(function* () {
    note(`inner ${yield walk("b")}`);
    throw new Error("thrown");
  }).catch((error) => note(error.message));
  let ticks = P.resolve();
  for (let i = 0; i < 12; i += 1) ticks = ticks.then(() => note(`tick ${i}`));
  note("ends");
}

test("async functions run in JavaScript's order", async () => {
  const [ours, theirs]: [string[], string[]] = [[], []];
  program(native, Promise, (what) => theirs.push(what));
  await new Promise((resolve) => setTimeout(resolve));
  const spawn: Spawn = (body) => runAsync(undefined, [], body) as unknown as Promise<any>;
  program(spawn, Later as unknown as PromiseConstructor, (what) => ours.push(what));
  drain((error) => assert.fail(String(error)));
  assert.deepEqual(ours, theirs);
  assert.ok(ours.includes("inner b") && ours.includes("thrown"));
});

for (const minify of [true, false]) {
  test(`esbuild's helper gives way to ours, and nothing else moves (minified: ${minify})`, () => {
    const contents = "const mark = 1; export const f = async (a) => { await a; return mark; };";
    const options = ["--bundle", "--format=esm", "--supported:async-await=false"];
    if (minify) options.push("--minify-whitespace", "--minify-syntax");
    // Tests run in the SDK's folder.
    const program = join(process.cwd(), "node_modules/esbuild/bin/esbuild");
    const before = execFileSync(program, options, { input: contents, encoding: "utf8" });
    const after = withOwnAsync(before);
    assert.ok(before.includes("new Promise") && !after.includes("new Promise"), after);
    assert.ok(after.includes("__parlorAsync("));
    assert.equal(after.length, before.length);
    assert.equal(after.split("\n").length, before.split("\n").length);
    const own = before.indexOf("function*");
    assert.equal(after.slice(own), before.slice(own));
  });
}

test("a helper that is not known is an error, not a slow plugin", () => {
  assert.throws(() => withOwnAsync("var x = __async(this, null, function* () {});"), /changed its helper/);
  assert.equal(withOwnAsync("export const a = 1;"), "export const a = 1;");
});

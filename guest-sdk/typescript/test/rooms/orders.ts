/** In which order jobs run: the language says it, so that it is the same under node and in a room. */

class Other<T> extends Promise<T> {}

export async function ordered(): Promise<string[]> {
  const order: string[] = [];
  const note = (what: string) => () => void order.push(what);
  const ticks = (name: string, count: number) => {
    let last = Promise.resolve();
    for (let at = 1; at <= count; at += 1) last = last.then(note(`${name} ${at}`));
  };
  const returns = async (value: unknown) => value;
  const waits = async (name: string, value: unknown) => {
    order.push(`${name} begins`);
    try {
      order.push(`${name} has ${String(await value)}`);
    } catch (error) {
      order.push(`${name} fails with ${String(error)}`);
    }
  };
  ticks("tick", 6);
  void waits("null", null);
  void waits("number", 1);
  void waits("resolved", Promise.resolve("r"));
  void waits("rejected", Promise.reject("no"));
  void waits("other", Other.resolve("o"));
  void waits("async", returns("a"));
  void waits("async of a promise", returns(Promise.resolve("p")));
  void waits("thenable", { then: (done: (value: string) => void) => done("t") });
  void waits("failing thenable", { then() { throw "thrown"; } });
  void waits("later", new Promise((done) => queueMicrotask(() => done("l"))));
  const own = Promise.resolve("x");
  own.then = function (this: Promise<string>, ...args: any[]) {
    order.push("then is called");
    return Promise.prototype.then.apply(this, args as any) as any;
  };
  void waits("own then", own);
  for await (const value of [Promise.resolve("one"), "two"]) order.push(`loop ${value}`);
  await (async () => {
    try {
      await Promise.reject(new Error("inner"));
    } finally {
      order.push("finally");
    }
  })().catch(note("caught"));
  await new Promise<void>((done) => void Promise.resolve().then(() => Promise.resolve()).then(() => done()));
  return order;
}

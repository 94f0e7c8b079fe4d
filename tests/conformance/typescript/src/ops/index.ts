/** The operations, by what of the SDK they call. */

import { bad, type Scene } from "../scene.ts";
import { control } from "./control.ts";
import { emits } from "./emits.ts";
import { sockets } from "./sockets.ts";
import { storage } from "./storage.ts";
import { time } from "./time.ts";
import { values } from "./values.ts";

/** An operation: its arguments are evaluated but for those that it takes as they stand. */
export type Operation = (scene: Scene, ...args: any[]) => unknown;
export type Operations = Record<string, Operation>;

const all = new Map(Object.entries({ ...emits, ...sockets, ...storage, ...time, ...control, ...values }));

/** The place of the argument that an operation takes as it stands. */
const RAW: Record<string, number> = { "timer": 2, "on": 2, "try": 0, "repeat": 1, "raw": 0, "filled": 1, "on-suspend": 0 };

/** Runs a list of operations; the list of their results. */
export async function run(scene: Scene, ops: unknown): Promise<unknown[]> {
  if (!Array.isArray(ops)) throw bad(`operations are a list, not ${JSON.stringify(ops)}`);
  const done: unknown[] = [];
  for (const op of ops) done.push(await runOne(scene, op));
  return done;
}

/** Runs one operation. */
export async function runOne(scene: Scene, op: unknown): Promise<unknown> {
  if (!Array.isArray(op)) throw bad(`an operation is a list that begins with its name, not ${JSON.stringify(op)}`);
  const [name, ...given] = op;
  const operation = all.get(name);
  if (operation === undefined) throw bad(`there is no operation ${JSON.stringify(name)}`);
  const args: unknown[] = [];
  for (const [at, value] of given.entries()) args.push(at === RAW[name] ? value : await evaluated(scene, value));
  return (await operation(scene, ...args)) ?? null;
}

/** A value, with the results of the operations in it. */
export async function evaluated(scene: Scene, value: unknown): Promise<unknown> {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (const item of value) list.push(await evaluated(scene, item));
    return list;
  }
  const members = Object.entries(value);
  if (members.length === 1 && members[0][0] === "$") return runOne(scene, members[0][1]);
  const pairs: [string, unknown][] = [];
  for (const [name, item] of members) pairs.push([name, await evaluated(scene, item)]);
  // Unlike an assignment this also takes a member of the name `__proto__`.
  return Object.fromEntries(pairs);
}

/** What cases are put together with. */

import { evaluated, type Operations } from "./index.ts";
import { bad } from "../scene.ts";

export const values: Operations = {
  "raw": (_, value) => value,
  "data": ({ data }) => data,
  "frame": ({ ctx }) => ctx.frame,
  "hook": ({ hook }) => hook,
  "config": ({ actor }, key) => actor.config(key),
  "random": () => crypto.randomUUID(),
  "text": (_, text: string, count) => text.repeat(count),
  "concat": (_, ...parts) => parts.map(String).join(""),
  "filled": async (scene, count, value) => {
    const list: unknown[] = [];
    while (list.length < count) list.push(await evaluated(scene, value));
    return list;
  },
  "nested": (_, count) => {
    let list: unknown[] = [];
    for (let left = count; left > 1; left -= 1) list = [list];
    return list;
  },
  "size": (_, value) => {
    if (typeof value !== "string" && !Array.isArray(value)) throw bad(`${JSON.stringify(value)} has no size`);
    return [...value].length;
  },
  "equal": (_, one, other) => same(one, other),
  "next": ({ memory }) => (memory.next += 1),
};

function same(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return one === other;
  const [members, others] = [Object.entries(one), new Map(Object.entries(other))];
  if (Array.isArray(one) !== Array.isArray(other) || members.length !== others.size) return false;
  return members.every(([name, value]) => others.has(name) && same(value, others.get(name)));
}

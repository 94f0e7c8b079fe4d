/** The room's keys and values. */

import type { Operations } from "./index.ts";

export const storage: Operations = {
  "get": ({ actor }, key) => actor.getStorage().get(key),
  "put": ({ actor }, key, value) => actor.getStorage().put(key, value),
  "delete": ({ actor }, key) => actor.getStorage().delete(key),
  "get-many": async ({ actor }, keys: string[]) => [...(await actor.getStorage().get(keys))],
  "put-many": ({ actor }, entries: [string, unknown][]) => actor.getStorage().put(Object.fromEntries(entries)),
  "delete-many": ({ actor }, keys: string[]) => actor.getStorage().delete(keys),
  "list": async ({ actor }, prefix) => [...(await actor.getStorage().list({ prefix }))],
  "page": async ({ actor }, prefix, after, limit) => {
    const page = await actor.getStorage().page({ prefix, limit, ...(after !== null && { after }) });
    return { keys: page.entries.map(([key]) => key), next: page.next ?? null };
  },
  "put-bytes": ({ actor }, key, numbers: number[]) => actor.getStorage().putBytes(key, Uint8Array.from(numbers)),
  "get-bytes": async ({ actor }, key) => {
    const bytes = await actor.getStorage().getBytes(key);
    return bytes && [...bytes];
  },
};

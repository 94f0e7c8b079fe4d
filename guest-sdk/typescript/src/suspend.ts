/** State that one instance of a plugin leaves for the next: how it is written, and which handler gets it. */

import type { Suspended } from "../types/index.js";
import { answer } from "./host.js";
import { RoomError, byteLength } from "./errors.js";
import { isThenable, waitFor } from "./loop.js";
import * as registry from "./registry.js";
import type { Handler } from "./registry.js";

const SUSPEND = "$suspend";
const RESUME = "$resume";
const SCHEMA_BYTES = 128;

const bySchema = new Map<string, Handler>();
let any: ((ctx: any, found: Suspended) => unknown) | undefined;
/** The handlers of the two hooks that stand for all of this. */
let suspending: Handler | undefined;

function needSchema(schema: unknown, call: string): void {
  const bytes = typeof schema === "string" ? byteLength(schema) : 0;
  if (bytes >= 1 && bytes <= SCHEMA_BYTES) return;
  throw new RoomError("invalid", `${call}: a schema must be a string of 1 to ${SCHEMA_BYTES} bytes`);
}

function needHandler(handler: unknown, call: string): void {
  if (typeof handler !== "function") throw new RoomError("invalid", `${call}: the handler must be a function`);
}

export function onSuspend(schema: string, save: Handler): void {
  needSchema(schema, "room.onSuspend");
  needHandler(save, "room.onSuspend");
  const previous = suspending;
  suspending = (ctx, reason) => {
    let state = save(ctx, reason);
    if (isThenable(state)) state = waitFor(state, "the handler of onSuspend");
    return answer({ schema, state: state ?? null });
  };
  registry.add(registry.events, SUSPEND, suspending, "room.onSuspend");
  if (previous !== undefined) registry.remove(registry.events, SUSPEND, previous);
}

export function onResume(schema: string, handler: Handler): void {
  needSchema(schema, "room.onResume");
  needHandler(handler, "room.onResume");
  bySchema.set(schema, handler);
  hookResume();
}

export function onResumeAny(handler: (ctx: any, found: Suspended) => unknown): void {
  needHandler(handler, "room.onResumeAny");
  any = handler;
  hookResume();
}

/** One handler of the hook stands for those of all schemas. */
function hookResume(): void {
  registry.remove(registry.events, RESUME, give);
  registry.add(registry.events, RESUME, give, "room.onResume");
}

/** Passes a state to the handler of its schema, or to the one for all others. */
function give(ctx: unknown, data: unknown): unknown {
  const found = suspended(data);
  const own = bySchema.get(found.schema);
  if (own !== undefined) return own(ctx, found.state);
  if (any !== undefined) return any(ctx, found);
  const taken = [...bySchema.keys()].join(", ");
  throw new RoomError(
    "resume.schema",
    `no onResume takes a state of the schema ${JSON.stringify(found.schema)}, only ${taken}`,
  );
}

/** A state as `onSuspend` wrote it; anything else is a state without a schema. */
function suspended(data: any): Suspended {
  const tagged = typeof data === "object" && data !== null && typeof data.schema === "string" && "state" in data;
  if (tagged && Object.keys(data).length === 2) return { schema: data.schema, state: data.state };
  return { schema: "", state: data };
}

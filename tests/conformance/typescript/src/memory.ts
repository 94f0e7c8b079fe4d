/** What the plugin keeps in memory, and how that goes over to the next instance. */

import type { EventHandler, Room } from "@parlor/guest";
import { run } from "./ops/index.ts";
import { Scene } from "./scene.ts";

export class Memory {
  /** What `remember` set, and what goes over. */
  value: unknown = null;
  /** The handlers that `on` registered, by their tags. */
  readonly handlers = new Map<string, { event: string; handler: EventHandler }>();
  /** What `onError` was told. */
  errors: object[] = [];
  /** What `$suspend` does first. */
  onSuspend: unknown = [];
  restored: string | null = null;
  resumed: { schema: string; state: unknown } | null = null;
  /** Where `next` is, within the operations of one event. */
  next = 0;

  constructor(readonly version: 1 | 2) {}

  /** With what the instance began. */
  life(): object {
    const { version, restored, resumed, value } = this;
    return { version, restored, resumed, memory: value };
  }
}

/** The hooks of an instance's beginning and its end. */
export function states(room: Room, memory: Memory): void {
  suspendAs(room, memory, `state/${memory.version}`);
  for (let version = 1; version <= memory.version; version += 1) {
    const schema = `state/${version}`;
    room.onResume(schema, (_, state) => {
      memory.resumed = { schema, state };
      memory.value = state;
    });
  }
  if (memory.version > 1) return;
  room.onResumeAny((_, { schema, state }) => {
    memory.resumed = { schema, state };
  });
}

/** Registers `$suspend` under a schema; the last one counts. */
export function suspendAs(room: Room, memory: Memory, schema: string): void {
  room.onSuspend(schema, async (ctx, { reason }) => {
    await run(new Scene(room, memory, ctx, { hook: { reason } }), memory.onSuspend);
    return memory.value;
  });
}

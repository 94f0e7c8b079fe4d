/** What the plugin keeps in memory. */

import type { EventHandler } from "@parlor/guest";

/** A turn that failed, as `errors` tells it. */
export interface Told {
  event: string;
  code: string;
  message: string;
  socket: boolean;
}

export class Memory {
  /** What `remember` set, and what goes over. */
  value: unknown = null;
  /** The handlers that `on` registered, by their tags. */
  readonly handlers = new Map<string, { event: string; handler: EventHandler }>();
  /** What `$error` told. */
  errors: Told[] = [];
  /** What `$suspend` does first. */
  onSuspend: unknown = [];
  restored: string | null = null;
  resumed: { schema: string; state: unknown } | null = null;

  constructor(readonly version: number) {}

  takeErrors(): Told[] {
    const errors = this.errors;
    this.errors = [];
    return errors;
  }
}

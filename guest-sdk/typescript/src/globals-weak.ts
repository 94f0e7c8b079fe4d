/**
 * The global `WeakRef`, for the plugins that name it. The engine's lets go at once of what nobody else has; the language keeps it until
 * what runs has ended.
 */

import { supply } from "./supply.js";

const Native = WeakRef;

/** What a WeakRef was made for, or answered, since the last job began. */
let kept: unknown[] = [];

function keep<T>(target: T): T {
  if (target === undefined) return target;
  if (kept.push(target) === 1) queueMicrotask(() => (kept = []));
  return target;
}

class KeptRef<T extends object> extends Native<T> {
  constructor(target: T) {
    super(target);
    keep(target);
  }

  override deref(): T | undefined {
    return keep(super.deref());
  }
}

supply({ WeakRef: KeptRef });

/** The web's events, as far as they mean something without a page: no bubbling, no default actions but their prevention. */

type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };
interface Entry {
  listener: Listener;
  once: boolean;
}

export class Event {
  target: EventTarget | null = null;
  currentTarget: EventTarget | null = null;
  defaultPrevented = false;
  readonly cancelable: boolean;
  /** Whether a listener said that no other is to hear of it. */
  stopped = false;

  constructor(
    readonly type: string,
    init: { cancelable?: boolean } = {},
  ) {
    this.cancelable = init.cancelable === true;
  }

  preventDefault(): void {
    if (this.cancelable) this.defaultPrevented = true;
  }

  stopPropagation(): void {}

  stopImmediatePropagation(): void {
    this.stopped = true;
  }
}

export class CustomEvent<T = unknown> extends Event {
  readonly detail: T | null;

  constructor(type: string, init: { cancelable?: boolean; detail?: T } = {}) {
    super(type, init);
    this.detail = init.detail ?? null;
  }
}

export class EventTarget {
  readonly #listeners = new Map<string, Entry[]>();

  addEventListener(type: string, listener: Listener | null, options?: boolean | { once?: boolean; signal?: AbortSignal }): void {
    const { once = false, signal } = typeof options === "object" && options !== null ? options : {};
    if (listener === null || listener === undefined || signal?.aborted === true) return;
    const entries = this.#listeners.get(type) ?? [];
    if (entries.some((entry) => entry.listener === listener)) return;
    this.#listeners.set(type, [...entries, { listener, once }]);
    signal?.addEventListener("abort", () => this.removeEventListener(type, listener), { once: true });
  }

  removeEventListener(type: string, listener: Listener | null): void {
    const left = (this.#listeners.get(type) ?? []).filter((entry) => entry.listener !== listener);
    this.#listeners.set(type, left);
  }

  /** Calls the listeners of an event. What one of them throws is thrown when all were called. */
  dispatchEvent(event: Event): boolean {
    event.target = event.currentTarget = this;
    const thrown: unknown[] = [];
    for (const { listener, once } of this.#listeners.get(event.type) ?? []) {
      if (once) this.removeEventListener(event.type, listener);
      try {
        if (typeof listener === "function") listener.call(this, event);
        else listener.handleEvent(event);
      } catch (error) {
        thrown.push(error);
      }
      if (event.stopped) break;
    }
    event.currentTarget = null;
    if (thrown.length > 0) throw thrown[0];
    return !event.defaultPrevented;
  }
}

export class AbortSignal extends EventTarget {
  aborted = false;
  reason: unknown = undefined;
  onabort: ((event: Event) => unknown) | null = null;

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  static abort(reason?: unknown): AbortSignal {
    const controller = new AbortController();
    controller.abort(reason);
    return controller.signal;
  }

  /** Time stands still within a turn: it aborts where the turn's own timers come to it. */
  static timeout(delayMs: number): AbortSignal {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException("the time is over", "TimeoutError")), delayMs);
    return controller.signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const controller = new AbortController();
    for (const signal of signals) {
      if (signal.aborted) return AbortSignal.abort(signal.reason);
      signal.addEventListener("abort", () => controller.abort(signal.reason), { once: true });
    }
    return controller.signal;
  }
}

export class AbortController {
  readonly signal = new AbortSignal();

  abort(reason: unknown = new DOMException("this was aborted", "AbortError")): void {
    const { signal } = this;
    if (signal.aborted) return;
    signal.aborted = true;
    signal.reason = reason;
    const event = new Event("abort");
    signal.onabort?.call(signal, event);
    signal.dispatchEvent(event);
  }
}

// The stream of what happens: one for the view that is shown, and none while nobody looks at the page.

const AGAIN_MS = 5_000;

export class Live {
  #address;
  #handlers;
  #source = null;
  #timer = null;
  #onVisibility = () => (document.hidden ? this.#stop() : this.#start());

  /** `handlers` are functions by the name of the event; `state(kind, words)` says how the stream is. */
  constructor(query, handlers) {
    this.#address = `api/live?${new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined))}`;
    this.#handlers = handlers;
    document.addEventListener("visibilitychange", this.#onVisibility);
    this.#onVisibility();
  }

  close() {
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#stop();
  }

  #start() {
    if (this.#source) return;
    const source = new EventSource(this.#address);
    this.#source = source;
    source.onopen = () => this.#handlers.state("good", "Live");
    source.onerror = () => {
      this.#handlers.state("bad", "Not up to date: the host does not answer. Trying again…");
      // The browser itself tries again where the connection broke, and gives up where the host refused.
      if (source.readyState !== EventSource.CLOSED) return;
      this.#stop();
      this.#handlers.refused();
      this.#timer = setTimeout(() => this.#start(), AGAIN_MS);
    };
    for (const [name, handle] of Object.entries(this.#handlers)) {
      source.addEventListener(name, ({ data }) => data !== undefined && handle(JSON.parse(data)));
    }
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }
}

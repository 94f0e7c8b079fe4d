// Requests: events whose acknowledgement the page waits for.
import { fromBase64 } from "./frames.js";

export class Requests {
  #waiting = new Map(); // number -> { text, resolve, reject, timer }
  #last = 0;

  /**
   * A promise of the acknowledgement of a frame, which `encode` makes with its number, `hand` sends or queues (false where it does
   * neither), and `withdraw` takes back out of the queue where the time runs out before it was sent.
   */
  make(timeoutMs, { encode, hand, withdraw }) {
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      const text = encode(id);
      const late = () => {
        withdraw(text);
        this.#end(id)?.reject(failure("timeout", `no acknowledgement within ${timeoutMs} ms`));
      };
      const timer = timeoutMs > 0 ? setTimeout(late, timeoutMs) : undefined;
      this.#waiting.set(id, { text, resolve, reject, timer });
      if (!hand(text)) this.#end(id)?.reject(failure("refused", "the client is closed, its queue is full, or its socket is stalled"));
    });
  }

  /** An acknowledgement came. */
  settle({ id, data, base64, error }) {
    const request = this.#end(id);
    if (error === undefined) request?.resolve(typeof base64 === "string" ? fromBase64(base64) : data);
    else request?.reject(failure(error.code, error.message ?? `the request failed: ${error.code}`));
  }

  /** The connection ended: nobody acknowledges what was sent. What is in the queue is still to be sent. */
  lose(queue) {
    for (const [id, { text }] of [...this.#waiting]) {
      if (!queue.includes(text)) this.#end(id)?.reject(failure("closed", "the connection ended before the acknowledgement came"));
    }
  }

  #end(id) {
    const request = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(request?.timer);
    return request;
  }
}

function failure(code, message) {
  return Object.assign(new Error(message), { code });
}

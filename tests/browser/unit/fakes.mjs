// What client.js meets without a browser: a socket, and time that a test moves.
import { mock } from "node:test";
import { connect } from "../../../host/pages/client.js";

export const BASE = "http://host.example/page/index.html";

/** A client that asks nobody why it was refused, unless the test gives a `fetch`. */
export function client(options = {}) {
  return connect("/ws", { WebSocket: FakeSocket, fetch: null, base: BASE, random: () => 0.5, ...options });
}

/** Lets time pass one millisecond at a time: a timer that a timer sets is then due when it would be. */
export function pass(ms) {
  for (let gone = 0; gone < ms; gone += 1) mock.timers.tick(1);
}

export function fakeTime() {
  FakeSocket.made.length = 0;
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
}

export function realTime() {
  mock.timers.reset();
}

// A socket without a network. Each one that is made is kept in `FakeSocket.made`.
export class FakeSocket {
  static made = [];

  constructor(url) {
    this.url = url;
    this.readyState = 0;
    this.bufferedAmount = 0;
    this.sent = [];
    FakeSocket.made.push(this);
  }

  static get last() {
    return FakeSocket.made.at(-1);
  }

  open() {
    this.readyState = 1;
    this.onopen?.({});
  }

  send(text) {
    if (this.readyState !== 1) throw new Error("not open");
    this.sent.push(text);
  }

  receive(frame) {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  /** What the far side does: the connection ends with `code`. */
  drop(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason, wasClean: code !== 1006 });
  }

  /** What the client asks for; a dead line never answers. */
  close(code, reason) {
    this.readyState = 2;
    this.closedWith = { code, reason };
  }
}

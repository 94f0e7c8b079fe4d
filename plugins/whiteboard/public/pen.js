// The pointer, by mouse, pen or finger: lines that grow while it is down, and where it points.

const SAY_EVERY_MS = 50; // of movements and of what a line grew by: the room takes 100 frames a second from a socket
const STEP_LEAST = 3; // units of the board
const PART_MOST = 200; // numbers of a part of a line, two a point

export class Pen {
  #surface;
  #hear;
  #line = null; // { id, color, width, points }
  #said = 0; // numbers of its points that were told of
  #point = null;
  #pointer;
  #timer;

  /** The most points of a line; a longer one goes on as another. */
  pointsMost = 500;
  color = "#1b1b27";
  width = 8;

  /** `hear` has the functions `grown(part)`, `finished(line)`, `moved(point)` and `left()`. */
  constructor(element, surface, hear) {
    this.#surface = surface;
    this.#hear = hear;
    element.addEventListener("pointerdown", (event) => this.#down(element, event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, (event) => this.#up(event));
    element.addEventListener("pointerleave", (event) => event.pointerId === this.#pointer || this.#leave());
  }

  #down(element, event) {
    if (this.#line || event.button !== 0) return;
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    this.#pointer = event.pointerId;
    this.#begin(this.#surface.pointOf(event));
  }

  #begin({ x, y }) {
    this.#said = 0;
    this.#line = { id: newId(), color: this.color, width: this.width, points: [x, y] };
    this.#surface.wet(this.#line);
    this.#say();
  }

  #move(event) {
    if (this.#line && event.pointerId !== this.#pointer) return;
    this.#point = this.#surface.pointOf(event);
    if (this.#line) {
      const steps = event.getCoalescedEvents?.() ?? [];
      for (const step of steps.length > 0 ? steps : [event]) this.#extend(this.#surface.pointOf(step));
    }
    this.#timer ??= setTimeout(() => this.#say(), SAY_EVERY_MS);
  }

  #extend({ x, y }) {
    const { points } = this.#line;
    if (Math.hypot(x - points.at(-2), y - points.at(-1)) < STEP_LEAST) return;
    this.#surface.wet({ id: this.#line.id, points: [x, y] });
    points.push(x, y);
    if (points.length < 2 * this.pointsMost) return;
    this.#finish();
    this.#begin({ x, y });
  }

  #up(event) {
    if (!this.#line || event.pointerId !== this.#pointer) return;
    this.#pointer = undefined;
    this.#finish();
    // A finger that is lifted points nowhere.
    if (event.pointerType === "touch") this.#leave();
  }

  #finish() {
    const line = this.#line;
    this.#line = null;
    this.#hear.finished(line);
  }

  #leave() {
    if (!this.#point) return;
    this.#point = null;
    this.#hear.left();
  }

  #say() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#line) {
      if (this.#point) this.#hear.moved(this.#point);
      return;
    }
    const points = this.#line.points.slice(this.#said, this.#said + PART_MOST);
    if (points.length === 0) return;
    this.#said += points.length;
    this.#hear.grown({ ...this.#line, points });
    if (this.#said < this.#line.points.length) this.#timer = setTimeout(() => this.#say(), SAY_EVERY_MS);
  }
}

// `crypto.randomUUID` is for https and localhost alone, and a board may be looked at over a local network.
function newId() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}

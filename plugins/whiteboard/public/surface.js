// The board on the screen: what the room keeps on one canvas, lines that are still wet on another above it.

export class Surface {
  #paper;
  #wetPaper;
  #size = { width: 2400, height: 1800 };
  #strokes = new Map(); // number -> stroke
  #last = 0;
  #wet = new Map(); // id -> line
  #asked = { paper: false, wet: false };

  constructor(paper, wetPaper) {
    this.#paper = paper;
    this.#wetPaper = wetPaper;
    new ResizeObserver(() => this.#fit()).observe(paper);
  }

  /** The board's size in its own units. */
  set size(size) {
    this.#size = size;
    this.#fit();
  }

  get size() {
    return this.#size;
  }

  get isEmpty() {
    return this.#strokes.size === 0 && this.#wet.size === 0;
  }

  /** The strokes that fulfil a condition, in the order of drawing. */
  strokes(fulfils) {
    return [...this.#strokes.values()].filter(fulfils).sort((a, b) => a.number - b.number);
  }

  /** Puts a stroke that the room keeps in its place. */
  add(stroke) {
    this.dry(stroke.id);
    const isLast = stroke.number > this.#last;
    this.#strokes.set(stroke.number, stroke);
    if (!isLast) return this.#ask("paper");
    this.#last = stroke.number;
    if (!this.#asked.paper) draw(this.#pen(this.#paper), stroke);
  }

  remove(number) {
    if (this.#strokes.delete(number)) this.#ask("paper");
  }

  /** Forgets what the room keeps; wet lines stay. */
  clear() {
    this.#strokes.clear();
    this.#last = 0;
    this.#ask("paper");
  }

  /** Begins or lengthens a line that is not kept yet. */
  wet({ id, color, width, points }) {
    const line = this.#wet.get(id);
    if (line) line.points.push(...points);
    else this.#wet.set(id, { color, width, points: [...points] });
    this.#ask("wet");
  }

  /** Forgets a line that is not kept, or is by now. */
  dry(id) {
    if (this.#wet.delete(id)) this.#ask("wet");
  }

  /** Where on the board a pointer is, in whole units. */
  pointOf({ clientX, clientY }) {
    const box = this.#paper.getBoundingClientRect();
    const within = (value, most) => Math.max(0, Math.min(most, Math.round(value * most)));
    return {
      x: within((clientX - box.left) / box.width, this.#size.width),
      y: within((clientY - box.top) / box.height, this.#size.height),
    };
  }

  #fit() {
    for (const canvas of [this.#paper, this.#wetPaper]) {
      const width = Math.round(canvas.clientWidth * devicePixelRatio);
      const height = Math.round(canvas.clientHeight * devicePixelRatio);
      if (canvas.width === width && canvas.height === height) continue;
      canvas.width = width;
      canvas.height = height;
    }
    this.#ask("paper");
    this.#ask("wet");
  }

  // Draws anew once a frame at most, however much changed.
  #ask(layer) {
    if (this.#asked[layer]) return;
    this.#asked[layer] = true;
    requestAnimationFrame(() => {
      this.#asked[layer] = false;
      const canvas = layer === "paper" ? this.#paper : this.#wetPaper;
      const lines = layer === "paper" ? this.strokes(() => true) : this.#wet.values();
      const pen = this.#pen(canvas);
      pen.clearRect(0, 0, this.#size.width, this.#size.height);
      for (const line of lines) draw(pen, line);
    });
  }

  #pen(canvas) {
    const pen = canvas.getContext("2d");
    pen.setTransform(canvas.width / this.#size.width, 0, 0, canvas.height / this.#size.height, 0, 0);
    pen.lineCap = pen.lineJoin = "round";
    return pen;
  }
}

// Curves through the middles of a line's parts: corners of a slow pointer do not show.
function draw(pen, { color, width, points }) {
  pen.strokeStyle = color;
  pen.lineWidth = width;
  pen.beginPath();
  pen.moveTo(points[0], points[1]);
  for (let at = 2; at < points.length - 2; at += 2) {
    const [x, y] = [points[at], points[at + 1]];
    pen.quadraticCurveTo(x, y, (x + points[at + 2]) / 2, (y + points[at + 3]) / 2);
  }
  pen.lineTo(points.at(-2), points.at(-1));
  pen.stroke();
}

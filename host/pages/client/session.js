// A session that outlives its line: the server keeps what it sent last, and so does the client. Whoever comes back says how
// many frames it got, hears how many were taken, and both send what is missing.
//
// Both count the frames of a session but for what a line says of itself: `ping`, `pong` and `session`. A pong says that all
// frames before its ping were taken: they need not be kept any longer.

// So many frames, or bytes, are handed to a line before the client asks by a ping which of them were taken.
const UNHEARD_FRAMES = 64;
const UNHEARD_BYTES = 65_536;

export const PING = '{"type":"ping"}';

export class Session {
  #isWanted;
  #secret; // what the server gave last; none while there is no session to come back to
  #isAwaited = false; // whether the server has yet to say how it goes on
  #got = 0;
  #unheard = []; // handed to a line, and perhaps not taken
  #bytes = 0; // their length
  #heard = 0; // how many were taken before these
  #sinceMark = { frames: 0, bytes: 0 };
  #marks = []; // of each ping without a pong, how many frames came before it

  /** Changes with each session: what was asked in one is not answered in another. */
  epoch = 0;

  constructor(isWanted) {
    this.#isWanted = isWanted;
  }

  /** What the address of the next line says. */
  get query() {
    if (!this.#isWanted) return {};
    return this.#secret === undefined ? { resume: "" } : { resume: this.#secret, got: this.#got };
  }

  /** Whether there is a session to come back to. */
  get isKept() {
    return this.#secret !== undefined;
  }

  /** Whether nothing may be sent until the server has said how it goes on. */
  get isAwaited() {
    return this.#isAwaited;
  }

  /** How much was sent and is perhaps not taken. */
  get unheardBytes() {
    return this.#bytes;
  }

  /** Whether it is time for a ping. */
  get isPingDue() {
    return this.#sinceMark.frames >= UNHEARD_FRAMES || this.#sinceMark.bytes >= UNHEARD_BYTES;
  }

  /** A line opened. */
  opened() {
    this.#isAwaited = this.#secret !== undefined;
    this.#forgetMarks();
    if (!this.#isAwaited) this.#begin(undefined);
  }

  /** A frame is handed to the line. */
  sent(text) {
    if (!this.#isWanted) return;
    if (isBarePing(text)) {
      this.#marks.push(this.#heard + this.#unheard.length);
      this.#sinceMark = { frames: 0, bytes: 0 };
      return;
    }
    this.#unheard.push(text);
    this.#bytes += text.length;
    this.#sinceMark.frames += 1;
    this.#sinceMark.bytes += text.length;
  }

  /** A frame came that is none of the session's own. */
  came(type) {
    if (this.#isAwaited) return void (type !== "pong" && (this.#got += 1)); // what was missed comes first
    if (type !== "pong") this.#got += 1;
    else if (this.#marks.length > 0) this.#forgetHeard(this.#marks.shift());
    // The first word of a server that keeps sessions is `session`: this one does not.
    if (this.#isWanted && this.#secret === undefined) this.#giveUp();
  }

  /** The frame `session` came: what is to be sent again where the session goes on; nothing where another one began. */
  told({ id, resumed, heard }) {
    const isBack = this.#isAwaited && resumed === true;
    this.#isAwaited = false;
    if (!isBack) return void (id === undefined ? this.#giveUp() : this.#begin(id));
    this.#secret = id;
    this.#forgetHeard(heard);
    const again = this.#unheard;
    this.#unheard = [];
    this.#bytes = 0;
    return again;
  }

  // What was sent before the first word of the server is of this session.
  #begin(secret) {
    const isOfLine = secret !== undefined && this.#secret === undefined;
    this.#secret = secret;
    this.#got = 0;
    if (isOfLine) return;
    this.epoch += 1;
    this.#forgetAll();
  }

  #giveUp() {
    this.epoch += 1;
    this.#isWanted = false;
    this.#secret = undefined;
    this.#forgetAll();
  }

  #forgetAll() {
    this.#unheard = [];
    this.#bytes = this.#heard = 0;
    this.#forgetMarks();
  }

  #forgetMarks() {
    this.#marks = [];
    this.#sinceMark = { frames: 0, bytes: 0 };
  }

  #forgetHeard(heard) {
    for (const text of this.#unheard.splice(0, heard - this.#heard)) this.#bytes -= text.length;
    this.#heard = heard;
  }
}

// The server answers it by itself, and counts it as no frame.
function isBarePing(text) {
  if (!text.startsWith(PING.slice(0, -1))) return false;
  const { data, channel, id, base64 } = JSON.parse(text);
  return (data ?? base64 ?? id) === undefined && !channel;
}

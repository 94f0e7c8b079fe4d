/** The global `Blob`, for the plugins that name it: bytes that do not change. Packages count with it how many a text has. */

import { bytesOfBuffer } from "./bytes.js";
import { supply } from "./supply.js";
import { toUtf8 } from "./text.js";

class Blob {
  readonly #bytes: Uint8Array;
  readonly type: string;

  constructor(parts: Iterable<unknown> = [], options: { type?: string } = {}) {
    const pieces = Array.from(parts, bytesOf);
    this.#bytes = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      this.#bytes.set(piece, at);
      at += piece.length;
    }
    this.type = String(options?.type ?? "").toLowerCase();
  }

  get size(): number {
    return this.#bytes.length;
  }

  slice(start?: number, end?: number, type?: string): Blob {
    return new Blob([this.#bytes.slice(start, end)], { type });
  }

  async bytes(): Promise<Uint8Array> {
    return this.#bytes.slice();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer as ArrayBuffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(this.#bytes);
  }

  static of(blob: Blob): Uint8Array {
    return blob.#bytes;
  }
}

function bytesOf(part: unknown): Uint8Array {
  if (part instanceof Blob) return Blob.of(part);
  return bytesOfBuffer(part) ?? toUtf8(String(part));
}

supply({ Blob });

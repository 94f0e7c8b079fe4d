/** Verani's frames: what they are as text, and what of them an event is. */

import type { MessageFrame } from "../types/index.js";
import { RoomError } from "./errors.js";

/** The version of the protocol that clients speak. */
export const PROTOCOL_VERSION = "1.0.0";

/** The event of a message that names none. */
const NAMELESS = "message";

export function encodeFrame(frame: MessageFrame): string {
  const text = JSON.stringify(frame) as string | undefined;
  if (text === undefined) throw new RoomError("invalid", `a frame is an object, not ${typeof frame}`);
  return text;
}

/** The frame that a text is; null where it is none. */
export function decodeFrame(raw: unknown): MessageFrame | null {
  try {
    const frame: unknown = JSON.parse(typeof raw === "string" ? raw : String(raw));
    return isFrame(frame) ? frame : null;
  } catch {
    return null;
  }
}

function isFrame(frame: any): frame is MessageFrame {
  if (typeof frame !== "object" || frame === null || typeof frame.type !== "string") return false;
  return frame.channel === undefined || typeof frame.channel === "string";
}

/** What a text or bytes that an author sends to a socket are as an event: the host itself makes the frames. */
export function eventOf(raw: unknown): { event: string; data: unknown } {
  if (raw instanceof ArrayBuffer) return { event: NAMELESS, data: new Uint8Array(raw) };
  if (ArrayBuffer.isView(raw)) {
    return { event: NAMELESS, data: new Uint8Array(raw.buffer as ArrayBuffer, raw.byteOffset, raw.byteLength) };
  }
  const text = String(raw);
  const frame = decodeFrame(text);
  if (frame === null) return { event: NAMELESS, data: text };
  const { type, channel, ...rest } = frame;
  const data = "data" in rest ? rest.data : rest;
  if (type === "event" && typeof data?.type === "string") return { event: data.type, data };
  return { event: type, data };
}

/** What goes between a test room and its clients, in the forms that each side has of it. */

import type { Payload } from "../host.js";
import { filled, placeholder } from "../placeholders.js";
import { ATTACHMENTS_PER_EVENT, FRAME_BYTES, JSON_DEPTH, bytesOf, isDeeperThan, totalBytes } from "./bounds.js";

/** What came with an event, or with a client's answer to an ask. */
export interface EventData {
  /** None where the client gave nothing, which is not the same as `null`. */
  readonly payload: Payload | null;
  /** How many arguments the client gave. Several are one array in the payload. */
  readonly count: number;
  /** What the payload's placeholders name. */
  readonly attachments: readonly Uint8Array[];
}

/** What a plugin says to clients. */
export interface Body {
  readonly payload: Payload;
  readonly attachments: readonly Uint8Array[];
}

/** How an event of a client came out, for a client that waits for this. */
export type Acknowledgement = { body: Body | null } | { error: { code: string; message?: string } };

/** A frame as clients see it on the wire. */
export type Frame =
  | { type: "event"; channel: string; data: Record<string, unknown>; id?: number; at?: string }
  | { type: "history"; channel: string; recovered: boolean; frames: Frame[] }
  | { type: "ack"; id: number; data?: unknown; base64?: string; error?: { code: string; message?: string } }
  | { type: "pong" };

/** A frame, and what a client's listeners are given of it. */
export interface Arrival {
  readonly frame: Frame;
  readonly heard?: Record<string, unknown>;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** One argument or none, as the host itself gives it. */
export function dataOf(payload: Payload | null): EventData {
  return { payload, count: payload === null ? 0 : 1, attachments: [] };
}

/** Bytes as JSON has them. */
export const inBase64 = (bytes: Uint8Array): object => ({ base64: base64(bytes) });

/** What an event has beside its data: the number of an ask, or its position in the channel's history. */
interface Beside {
  id?: number;
  at?: string;
}

/** An emit as clients get it; with a number it asks. */
export function eventFrame(channel: string, event: string, { payload, attachments }: Body, beside: Beside = {}): Arrival {
  const arrival = (onWire: object, heard: object): Arrival => {
    const data = { ...onWire, type: event };
    return { frame: { type: "event", channel, data, ...beside }, heard: { ...heard, type: event } };
  };
  if (payload.tag === "binary") return arrival({ base64: base64(payload.val) }, { data: payload.val });
  return arrival(members(wireValue(payload.val, attachments)), members(filled(JSON.parse(payload.val), attachments)));
}

/** What an object has; any other value is the member `data`. */
function members(data: unknown): object {
  return typeof data === "object" && data !== null && !Array.isArray(data) && !ArrayBuffer.isView(data) ? data : { data };
}

function wireValue(text: string, attachments: readonly Uint8Array[]): unknown {
  return filled(JSON.parse(text), attachments.map(inBase64));
}

/** The event `error`, which tells a sender why its event had no effect. */
export function errorFrame(channel: string, error: object): Arrival {
  return eventFrame(channel, "error", { payload: { tag: "json", val: JSON.stringify(error) }, attachments: [] });
}

export function ackFrame(id: number, ack: Acknowledgement): Frame {
  if ("error" in ack) return { type: "ack", id, error: ack.error };
  if (ack.body === null) return { type: "ack", id };
  const { payload, attachments } = ack.body;
  if (payload.tag === "binary") return { type: "ack", id, base64: base64(payload.val) };
  return { type: "ack", id, data: wireValue(payload.val, attachments) };
}

/** An answer as a client has it: `undefined` where nobody gave a value. */
export function heardAnswer(body: Body | null): unknown {
  if (body === null) return undefined;
  return body.payload.tag === "binary" ? body.payload.val : filled(JSON.parse(body.payload.val), body.attachments);
}

/** What a client sends: any number of values, in which there may be bytes. */
export function sentData(values: readonly unknown[]): EventData {
  if (values.length === 0 || (values.length === 1 && values[0] === undefined)) return dataOf(null);
  const data = values.length === 1 ? values[0] : values;
  if (data instanceof Uint8Array) return dataOf(checked({ tag: "binary", val: data }, []));
  const attachments: Uint8Array[] = [];
  const text: string | undefined = JSON.stringify(data, function (this: any, name: string, value: unknown) {
    // The value of a `Buffer` is what its own `toJSON` made of it.
    const bytes: unknown = this[name];
    return bytes instanceof Uint8Array ? placeholder(attachments.push(bytes) - 1) : value;
  });
  if (text === undefined) throw new TypeError(`JSON has no form of a ${typeof data}: a client cannot send it`);
  if (isDeeperThan(text, JSON_DEPTH)) throw new Error(`a client sends JSON of up to ${JSON_DEPTH} levels`);
  return { payload: checked({ tag: "json", val: text }, attachments), count: values.length, attachments };
}

function checked(payload: Payload, attachments: readonly Uint8Array[]): Payload {
  const bytes = (payload.tag === "json" ? bytesOf(payload.val) : payload.val.length) + totalBytes(attachments);
  if (bytes > FRAME_BYTES) throw new Error(`a client sends up to ${FRAME_BYTES} bytes, not ${bytes}`);
  if (attachments.length > ATTACHMENTS_PER_EVENT) {
    throw new Error(`a client sends up to ${ATTACHMENTS_PER_EVENT} attachments, not ${attachments.length}`);
  }
  return payload;
}

/** What `$ack` brings of a client's answer. */
export function askAnswer(outcome: "answered" | "timeout" | "gone", { payload, attachments }: EventData): EventData {
  const told = `{"outcome":"${outcome}"`;
  if (payload === null) return dataOf({ tag: "json", val: `${told}}` });
  const [text, beside] = payload.tag === "json" ? [payload.val, attachments] : [JSON.stringify(placeholder(0)), [payload.val]];
  return { payload: { tag: "json", val: `${told},"data":${text}}` }, count: 1, attachments: beside };
}

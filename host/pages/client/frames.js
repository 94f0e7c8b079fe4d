// Frames: what goes over the line, as text. Bytes are base64 there.

/**
 * One frame as Verani writes it: the key `data` is absent where there is none, and so are `channel` and the number `id`
 * that asks for an acknowledgement. Bytes in the place of the data are `base64`.
 */
export function encodeFrame(type, data, channel, id) {
  if (typeof type !== "string" || type === "") throw new TypeError("the event must be a string that is not empty");
  if (channel !== undefined && typeof channel !== "string") throw new TypeError("the channel must be a string");
  if (data instanceof Uint8Array) return JSON.stringify({ type, channel, base64: toBase64(data), id });
  return JSON.stringify({ type, channel, data, id }, withoutBytes);
}

function withoutBytes(_name, value) {
  if (value instanceof Uint8Array) throw new TypeError("bytes are sent as the whole data of an event, and not within it");
  return value;
}

/** What a frame says; `undefined` where it is no JSON. Bytes are in their places. */
export function decodeFrame(text) {
  try {
    const frame = text.includes('"base64"') ? JSON.parse(text, withBytes) : JSON.parse(text);
    return frame?.type === "history" ? { ...frame, frames: [].concat(frame.frames ?? []).map(whole) } : whole(frame);
  } catch {
    return undefined;
  }
}

function whole(frame) {
  return typeof frame?.data?.base64 === "string" && frame.type === "event" ? { ...frame, data: eventOfBytes(frame.data) } : frame;
}

// An event whose data is nothing but bytes has them as `data`, as any value that is no object.
function eventOfBytes(data) {
  const bytes = Object.keys(data).length === 2 ? fromBase64(data.base64) : undefined;
  return bytes === undefined ? data : { type: data.type, data: bytes };
}

// Bytes within data are objects with this one member.
function withBytes(_name, value) {
  const isBytes = typeof value?.base64 === "string" && Object.keys(value).length === 1;
  return (isBytes ? fromBase64(value.base64) : undefined) ?? value;
}

function toBase64(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** `undefined` where the text is no base64. */
export function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

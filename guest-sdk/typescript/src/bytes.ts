// Bytes in whatever form an author has them.

/** The bytes of a buffer, or of a view of one, which they are shared with; nothing for any other value. */
export function bytesOfBuffer(data: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : undefined;
}

/** The binary form of modules and components, as far as the build writes any: sections, and the numbers in them. */

/** How many bytes stand before the first section. */
const HEADER = 8;

/** The sections of a module or a component: what each is, and its content. */
export function* sections(bytes) {
  for (let at = HEADER; at < bytes.length; ) {
    const id = bytes[at];
    const size = readNumber(bytes, at + 1);
    const end = size.end + size.value;
    yield { id, content: bytes.subarray(size.end, end) };
    at = end;
  }
}

/** A module or a component of the same kind, of these sections. */
export function ofSections(bytes, parts) {
  return Buffer.concat([bytes.subarray(0, HEADER), ...parts.map(({ id, content }) => section(id, content))]);
}

export function section(id, content) {
  return Buffer.concat([Buffer.of(id), number(content.length), content]);
}

/** Unsigned LEB128. */
export function number(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.of(...bytes, value);
}

/** Signed LEB128 of 32 bits. */
export function signed(value) {
  const bytes = [];
  for (let left = value | 0; ; left >>= 7) {
    const isLast = left >= -64 && left < 64;
    bytes.push((left & 127) | (isLast ? 0 : 128));
    if (isLast) return Buffer.from(bytes);
  }
}

/** An unsigned number at a place, and where it ends. */
export function readNumber(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at];
    at += 1;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return { value, end: at };
  }
}

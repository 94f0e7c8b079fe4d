/** The global `structuredClone`. */

const BOXES = [Boolean, Number, String, BigInt];
/** What is more than its members. */
const UNCLONEABLE = [FinalizationRegistry, Promise, WeakMap, WeakRef, WeakSet];
/** What all of the language's iterators inherit from. */
const iterators: object = Object.getPrototypeOf(Object.getPrototypeOf([].values()));

function uncloneable(value: unknown): never {
  const what = typeof value === "object" ? `a ${(value as object).constructor?.name ?? "value"}` : `a ${typeof value}`;
  throw new DOMException(`${what} cannot be cloned`, "DataCloneError");
}

/**
 * A deep copy of what the web's algorithm copies: classes of the author's become plain objects. What is transferred is empty
 * afterwards.
 */
export function structuredClone<T>(value: T, options?: { transfer?: Iterable<unknown> }): T {
  if (arguments.length === 0) throw new TypeError("structuredClone takes a value");
  const given = [...(options?.transfer ?? [])];
  for (const one of given) if (!(one instanceof ArrayBuffer)) uncloneable(one);
  const made = copy(value, new Map()) as T;
  for (const one of given) (one as ArrayBuffer & { transfer(): unknown }).transfer();
  return made;
}

function copy(value: unknown, copies: Map<object, unknown>): unknown {
  if (typeof value === "function" || typeof value === "symbol") uncloneable(value);
  if (typeof value !== "object" || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  const keep = <V>(made: V): V => {
    copies.set(value, made);
    return made;
  };
  if (Array.isArray(value)) return fill(value, keep(new Array(value.length)), copies);
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) return keep(copyView(value, copies));
  if (value instanceof Error) return copyError(value, copies);
  if (BOXES.some((box) => value instanceof box)) return keep(Object(value.valueOf()));
  if (value instanceof Map) {
    const made = keep(new Map());
    for (const [key, item] of [...value]) made.set(copy(key, copies), copy(item, copies));
    return made;
  }
  if (value instanceof Set) {
    const made = keep(new Set());
    for (const item of [...value]) made.add(copy(item, copies));
    return made;
  }
  if (UNCLONEABLE.some((kind) => value instanceof kind) || iterators.isPrototypeOf(value)) uncloneable(value);
  return fill(value, keep({}), copies);
}

function fill<T extends object>(from: object, to: T, copies: Map<object, unknown>): T {
  for (const key of Object.keys(from)) {
    const value = copy((from as Record<string, unknown>)[key], copies);
    // An assignment would take `__proto__` for the prototype, and heeds what is frozen or set up there.
    if (key in to) Object.defineProperty(to, key, { value, writable: true, enumerable: true, configurable: true });
    else (to as Record<string, unknown>)[key] = value;
  }
  return to;
}

function copyView(view: ArrayBufferView, copies: Map<object, unknown>): ArrayBufferView {
  const buffer = copy(view.buffer, copies) as ArrayBuffer;
  const length = view instanceof DataView ? view.byteLength : (view as Uint8Array).length;
  return new (view.constructor as typeof Uint8Array)(buffer, view.byteOffset, length);
}

function copyError(error: Error, copies: Map<object, unknown>): Error {
  const classes: Record<string, ErrorConstructor> = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const made = new (classes[error.name] ?? Error)(error.message);
  copies.set(error, made);
  made.stack = error.stack;
  if ("cause" in error) made.cause = copy(error.cause, copies);
  return made;
}

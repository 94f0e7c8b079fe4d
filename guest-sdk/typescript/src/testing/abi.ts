/** Values on their way between node and an engine's memory: the canonical ABI of components, as far as the contract needs it. */

/** The memory of an instance. */
export interface Room {
  /** It moves when it grows. */
  view(): DataView;
  allocate(size: number, alignment: number): number;
}

/** A type of the contract. */
export interface Kind {
  readonly size: number;
  readonly alignment: number;
  /** How many arguments a value is. */
  readonly flats: number;
  load(room: Room, at: number): any;
  store(room: Room, at: number, value: any): void;
  /** From arguments. */
  take(room: Room, flat: Iterator<number>): any;
  /** As arguments. */
  give(room: Room, value: any): number[];
}

/** What a `result` that is no success is thrown as, and what is thrown to become one. */
export class Failed extends Error {
  constructor(readonly value: any) {
    super("a result that is an error");
  }
}

/** Something that is one number. */
function plain(size: number, load: (view: DataView, at: number) => any, store: (view: DataView, at: number, value: any) => void): Kind {
  return {
    size,
    alignment: size,
    flats: 1,
    load: ({ view }, at) => load(view(), at),
    store: ({ view }, at, value) => store(view(), at, value),
    take: (_, flat) => flat.next().value as number,
    give: (_, value) => [Number(value)],
  };
}

const unsigned = (kind: Kind): Kind => ({ ...kind, take: (_, flat) => (flat.next().value as number) >>> 0 });

export const number = unsigned(
  plain(4, (view, at) => view.getUint32(at, true), (view, at, value) => view.setUint32(at, value, true)),
);
export const short = unsigned(
  plain(2, (view, at) => view.getUint16(at, true), (view, at, value) => view.setUint16(at, value, true)),
);
export const double = plain(8, (view, at) => view.getFloat64(at, true), (view, at, value) => view.setFloat64(at, value, true));
export const bool: Kind = {
  ...plain(1, (view, at) => view.getUint8(at) !== 0, (view, at, value) => view.setUint8(at, value ? 1 : 0)),
  take: (_, flat) => flat.next().value !== 0,
};

/** Something that is a place and a length. */
function span(read: (room: Room, at: number, length: number) => any, write: (room: Room, value: any) => [number, number]): Kind {
  return {
    size: 8,
    alignment: 4,
    flats: 2,
    load: (room, at) => read(room, room.view().getUint32(at, true), room.view().getUint32(at + 4, true)),
    store(room, at, value) {
      const [place, length] = write(room, value);
      room.view().setUint32(at, place, true);
      room.view().setUint32(at + 4, length, true);
    },
    take: (room, flat) => read(room, number.take(room, flat), number.take(room, flat)),
    give: write,
  };
}

function writeBytes(room: Room, content: Uint8Array): [number, number] {
  const at = room.allocate(content.length, 1);
  new Uint8Array(room.view().buffer, at, content.length).set(content);
  return [at, content.length];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const bytes = span((room, at, length) => new Uint8Array(room.view().buffer, at, length).slice(), writeBytes);
export const text = span(
  (room, at, length) => decoder.decode(new Uint8Array(room.view().buffer, at, length)),
  (room, value: string) => writeBytes(room, encoder.encode(value)),
);

export function list(kind: Kind): Kind {
  return span(
    (room, at, length) => Array.from({ length }, (_, index) => kind.load(room, at + index * kind.size)),
    (room, values: any[]) => {
      const at = room.allocate(values.length * kind.size, kind.alignment);
      values.forEach((value, index) => kind.store(room, at + index * kind.size, value));
      return [at, values.length];
    },
  );
}

function aligned(at: number, alignment: number): number {
  return Math.ceil(at / alignment) * alignment;
}

export function record(fields: Record<string, Kind>): Kind {
  const named = Object.entries(fields);
  const alignment = Math.max(...named.map(([, kind]) => kind.alignment));
  let end = 0;
  const places = named.map(([name, kind]) => {
    const at = aligned(end, kind.alignment);
    end = at + kind.size;
    return { name, kind, at };
  });
  const each = (read: (kind: Kind, at: number) => any) =>
    Object.fromEntries(places.map(({ name, kind, at }) => [name, read(kind, at)]));
  return {
    size: aligned(end, alignment),
    alignment,
    flats: named.reduce((sum, [, kind]) => sum + kind.flats, 0),
    load: (room, from) => each((kind, at) => kind.load(room, from + at)),
    store: (room, to, value) => places.forEach(({ name, kind, at }) => kind.store(room, to + at, value[name])),
    take: (room, flat) => each((kind) => kind.take(room, flat)),
    give: (room, value) => places.flatMap(({ name, kind }) => kind.give(room, value[name])),
  };
}

/** A `variant`, as `{ tag, val }`. All of its cases have the same arguments, or fewer. */
export function variant(cases: Record<string, Kind | undefined>): Kind {
  const tags = Object.keys(cases);
  const kinds = Object.values(cases);
  const inner = (what: "alignment" | "size" | "flats") => Math.max(...kinds.map((kind) => kind?.[what] ?? 0));
  const alignment = Math.max(1, inner("alignment"));
  const flats = 1 + inner("flats");
  return {
    size: aligned(alignment + inner("size"), alignment),
    alignment,
    flats,
    load(room, at) {
      const which = room.view().getUint8(at);
      return { tag: tags[which], val: kinds[which]?.load(room, at + alignment) };
    },
    store(room, at, { tag, val }) {
      const which = tags.indexOf(tag);
      room.view().setUint8(at, which);
      kinds[which]?.store(room, at + alignment, val);
    },
    take(room, flat) {
      const which = flat.next().value as number;
      const rest = Array.from({ length: flats - 1 }, () => flat.next().value as number);
      return { tag: tags[which], val: kinds[which]?.take(room, rest.values()) };
    },
    give(room, { tag, val }) {
      const which = tags.indexOf(tag);
      const given = [which, ...(kinds[which]?.give(room, val) ?? [])];
      return [...given, ...new Array(flats - given.length).fill(0)];
    },
  };
}

/** A kind whose values have another form here. */
function seen(kind: Kind, here: (value: any) => any, there: (value: any) => any): Kind {
  return {
    ...kind,
    load: (room, at) => here(kind.load(room, at)),
    store: (room, at, value) => kind.store(room, at, there(value)),
    take: (room, flat) => here(kind.take(room, flat)),
    give: (room, value) => kind.give(room, there(value)),
  };
}

/** A value or `null`. */
export function option(kind: Kind): Kind {
  const none = (value: any) => (value === null ? { tag: "none" } : { tag: "some", val: value });
  return seen(variant({ none: undefined, some: kind }), ({ tag, val }) => (tag === "none" ? null : val), none);
}

/** A value, or a `Failed` as one. */
export function result(ok: Kind | undefined, error: Kind): Kind {
  const kind = variant({ ok, error });
  const here = ({ tag, val }: any) => (tag === "ok" ? val : new Failed(val));
  return seen(kind, here, (value) => (value instanceof Failed ? { tag: "error", val: value.value } : { tag: "ok", val: value }));
}

export const payload = variant({ json: text, binary: bytes });

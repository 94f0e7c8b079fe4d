/** Packages about data: each exports what a room would do with one, as a value to compare. */

import Ajv from "ajv";
import equal from "fast-deep-equal";
import patch from "fast-json-patch";
import { deflateSync, inflateSync, strFromU8, strToU8 } from "fflate";
import { produce } from "immer";
import { load } from "js-yaml";
import lodash from "lodash";
import { pack, unpack } from "msgpackr";
import { decode, encode } from "@msgpack/msgpack";
import * as R from "ramda";
import superjson from "superjson";
import * as v from "valibot";
import * as Y from "yjs";
import { z } from "zod";

// It writes a function and has it compiled: that is for the build, not for a turn.
const isWhole = new Ajv().compile({ type: "integer" });

export const data: Record<string, () => unknown> = {
  zod: () => z.object({ text: z.string().max(3) }).safeParse({ text: "long" }).error?.issues[0]?.code,
  valibot: () => v.safeParse(v.object({ n: v.pipe(v.number(), v.minValue(2)) }), { n: 1 }).success,
  ajv: () => isWhole("no"),
  lodash: () => lodash.chunk(lodash.sortBy([3, 1, 2]), 2),
  ramda: () => R.pipe(R.map((n: number) => n * 2), R.sum)([1, 2, 3]),
  immer: () => produce({ list: [1] }, (draft) => void draft.list.push(2)).list,
  superjson: () => (superjson.parse(superjson.stringify({ at: new Date(5), set: new Set([1]) })) as any).set.has(1),
  msgpackr: () => unpack(pack({ a: [1, "x", null] })),
  "@msgpack/msgpack": () => decode(encode({ a: [1, "x", null] })),
  "fast-json-patch": () => patch.compare({ a: 1 }, { a: 2 }),
  "fast-deep-equal": () => equal({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }),
  "js-yaml": () => load("a: [1, two]"),
  fflate: () => strFromU8(inflateSync(deflateSync(strToU8("again and again and again")))),
  yjs: () => {
    const [one, two] = [new Y.Doc(), new Y.Doc()];
    one.getText("t").insert(0, "shared");
    Y.applyUpdate(two, Y.encodeStateAsUpdate(one));
    return two.getText("t").toString();
  },
};

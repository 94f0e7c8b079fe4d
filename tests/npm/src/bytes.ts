/** Packages about bytes and texts. */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { ObjectId, deserialize, serialize } from "bson";
import Handlebars from "handlebars";
import { marked } from "marked";
import { deflate, inflate } from "pako";
import protobuf from "protobufjs/light";
import qs from "qs";

const Move = new protobuf.Type("Move").add(new protobuf.Field("to", 1, "string"));
// It writes a function and has it compiled, as `ajv` does.
const greeting = Handlebars.compile("hi {{name}}{{#each items}} {{this}}{{/each}}");

export const bytes: Record<string, () => unknown> = {
  "@noble/hashes": () => bytesToHex(sha256(Uint8Array.of(1))).slice(0, 8),
  bson: () => [deserialize(serialize({ a: 1, text: "ü" })), new ObjectId().toHexString().length],
  handlebars: () => greeting({ name: "<ada>", items: [1, 2] }),
  marked: () => marked.parse("# a *b*", { async: false }),
  pako: () => inflate(deflate("again and again"), { toText: true, to: "string" } as object),
  protobufjs: () => Move.toObject(Move.decode(Move.encode(Move.create({ to: "é4" })).finish())),
  qs: () => qs.parse("a[b]=1&c=2"),
};

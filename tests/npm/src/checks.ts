/** Packages that check values, and those of functions. */

import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { Effect, Schema } from "effect";
import Joi from "joi";
import { ResultAsync, ok } from "neverthrow";
import { is, object, string } from "superstruct";
import { P, match } from "ts-pattern";
import validator from "validator";
import * as yup from "yup";

export const checks: Record<string, () => unknown> = {
  "@sinclair/typebox": () => Value.Check(Type.Object({ n: Type.Number() }), { n: "1" }),
  effect: async () => {
    const waits = Effect.gen(function* () {
      yield* Effect.sleep("10 millis");
      return yield* Effect.succeed(4);
    });
    return [await Effect.runPromise(waits), Schema.decodeUnknownSync(Schema.Struct({ n: Schema.NumberFromString }))({ n: "5" })];
  },
  joi: () => Joi.object({ n: Joi.number().max(4) }).validate({ n: "5" }).error?.message,
  neverthrow: () => ok(1).asyncAndThen((n) => ResultAsync.fromSafePromise(Promise.resolve(n + 1))).unwrapOr(0),
  superstruct: () => is({ text: 1 }, object({ text: string() })),
  "ts-pattern": () => match<unknown>({ kind: "move", to: "e4" }).with({ kind: "move", to: P.select(P.string) }, (to) => to).otherwise(() => ""),
  validator: () => [validator.isEmail("ada@example.org"), validator.escape("<b>")],
  yup: () => yup.object({ text: yup.string().min(3) }).validate({ text: "a" }).catch((error) => [error.name, error.message]),
};

/** Packages about names, time, numbers and tokens. */

import { BigNumber } from "bignumber.js";
import { colord } from "colord";
import { addDays, formatISO } from "date-fns";
import dayjs from "dayjs";
import { Decimal } from "decimal.js";
import { SignJWT, createLocalJWKSet, jwtVerify } from "jose";
import moment from "moment";
import { customAlphabet, nanoid } from "nanoid";
import seedrandom from "seedrandom";
import semver from "semver";
import { ulid } from "ulid";
import { v4, v7, validate } from "uuid";

/** A public key and a token of each kind, which a test made. */
export interface Tokens {
  jwks: { keys: object[] };
  tokens: Record<string, string>;
}

export const names: Record<string, (given: Tokens) => unknown> = {
  nanoid: () => [nanoid().length, customAlphabet("ab", 5)().length, nanoid() !== nanoid()],
  uuid: () => [validate(v4()), validate(v7()), v4() !== v4()],
  ulid: () => ulid().length,
  dayjs: () => dayjs(0).add(1, "day").toISOString(),
  "date-fns": () => formatISO(addDays(new Date(0), 1), { representation: "date" }),
  moment: () => moment.utc(0).add(1, "day").format("LLLL"),
  "bignumber.js": () => new BigNumber("0.1").plus("0.2").toString(),
  "decimal.js": () => new Decimal("0.1").plus("0.2").toString(),
  semver: () => semver.satisfies("1.2.3", "^1.0.0"),
  colord: () => colord("#ff0000").darken(0.1).toHex(),
  seedrandom: () => seedrandom("seed")() === seedrandom("seed")(),
  jose: async ({ jwks, tokens }) => {
    const secret = new TextEncoder().encode("a secret of the operator, which is long enough");
    const own = await new SignJWT({ sub: "ada" }).setProtectedHeader({ alg: "HS256" }).setExpirationTime("1h").sign(secret);
    const said = [(await jwtVerify(own, secret)).payload.sub];
    for (const token of Object.values(tokens)) said.push((await jwtVerify(token, createLocalJWKSet(jwks))).payload.sub);
    const forged = `${Object.values(tokens)[0]!.slice(0, -8)}AAAAAAAA`;
    return [...said, await jwtVerify(forged, createLocalJWKSet(jwks)).catch((error) => error.code)];
  },
};

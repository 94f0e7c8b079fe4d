/** The cases of conformance (`tests/conformance`), with the TypeScript reference plugin in the test room. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { casesIn } from "./conformance/case.ts";
import { run } from "./conformance/run.ts";

/** Seen from the SDK's folder, which tests run in. */
const FOLDER = "../../tests/conformance";

const files = casesIn(`${FOLDER}/cases`);
const versions = { first: `${FOLDER}/typescript/src/first.ts`, second: `${FOLDER}/typescript/src/second.ts` };

for (const { name, cases } of files) {
  describe(name, () => {
    for (const one of cases) test(`${one.name}: ${one.shows}`, () => run(one, versions));
  });
}

test("there are cases", () => {
  assert.ok(files.flatMap(({ cases }) => cases).length > 100);
});

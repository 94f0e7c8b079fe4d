/** Where a project begins. */

import { existsSync } from "node:fs";
import { dirname, join, parse } from "node:path";

/** The folder of the project that a folder belongs to, which a `package.json` marks; the folder itself where there is none. */
export function projectOf(from) {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
    if (folder === parse(folder).root) return from;
  }
}

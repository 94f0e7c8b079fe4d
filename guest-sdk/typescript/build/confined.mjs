/**
 * The files of a script that a server builds for a tenant. All are read here and none by esbuild, which follows links, settings
 * and paths to wherever they lead: a script has the files of its own folder and the SDK, and sees of all others not even whether
 * they are there.
 */

import { closeSync, constants, fstatSync, openSync, readSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path/posix";

/** esbuild's name for what is not of its file system: nothing in it has a folder that esbuild would look into. */
const SPACE = "script";
const PREFIX = `${SPACE}:`;

/** What a script may import, by the end of its name. */
const LOADERS = { ".ts": "ts", ".mts": "ts", ".js": "js", ".mjs": "js", ".json": "json", ".txt": "text" };
/** As the language's other tools take a name that is not there: what stands in its place. */
const OTHERS = [[/\.js$/, ".ts"], [/\.mjs$/, ".mts"], [/$/, ".ts"], [/$/, ".mts"], [/$/, ".js"], [/$/, ".mjs"], [/$/, "/index.ts"], [/$/, "/index.js"]];

/** One file, and all files of a script together. */
const FILE_BYTES = 4 << 20;
const ALL_BYTES = 16 << 20;
/** The server watches all that a script was looked for in. */
const MOST_FILES = 1_000;

const NO_NAME = "import() needs a name in quotes here: a plugin is one module, and what it imports is put into it when it is built";

/** A sentence for the author, in esbuild's form. */
function told(text) {
  return { errors: [{ text }] };
}

export class ScriptFolder {
  /** The folder's real path. */
  root;
  #isFlat;
  #bytes = 0;
  /** The text of each file that was read, by its name in the folder; none of what was looked for and is not there. */
  files = new Map();

  /** `isFlat` says that the folders in it are other tenants', but for hidden ones. */
  constructor(root, isFlat) {
    this.root = realpathSync(root);
    this.#isFlat = isFlat;
  }

  /** Whether a real path is one of the folder's own. */
  #isOwn(path) {
    if (!path.startsWith(this.root + sep)) return false;
    const inner = path.slice(this.root.length + 1);
    return !this.#isFlat || !inner.includes(sep) || inner.startsWith(".");
  }

  /** The text of a file; none where there is no such file. It is what was opened that counts: names may change meanwhile. */
  read(name) {
    if (this.files.has(name)) return this.files.get(name);
    if (this.files.size === MOST_FILES) throw Object.assign(new Error(), told(`a script is made of at most ${MOST_FILES} files, those included that are not there`));
    const text = this.#open(name);
    this.files.set(name, text);
    return text;
  }

  #open(name) {
    let file;
    try {
      file = openSync(join(this.root, name), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      const state = fstatSync(file);
      // What lies elsewhere is as if it were not there.
      if (!state.isFile() || !this.#isOwn(readlinkSync(`/proc/self/fd/${file}`))) return undefined;
      return this.#content(name, file, state.size);
    } catch (error) {
      if (error.code === undefined) throw error;
      return undefined;
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  #content(name, file, size) {
    this.#bytes += size;
    if (size > FILE_BYTES) throw Object.assign(new Error(), told(`${name} is larger than ${FILE_BYTES} bytes, which no file of a script may be`));
    if (this.#bytes > ALL_BYTES) throw Object.assign(new Error(), told(`the files of this script are larger than ${ALL_BYTES} bytes together`));
    const content = Buffer.alloc(size);
    let length = 0;
    for (let read = 1; read > 0 && length < size; length += read) read = readSync(file, content, length, size - length, length);
    return content.toString("utf8", 0, length);
  }

  /** Where an import leads: a name in the folder, or words that say why nowhere. */
  #resolve(path, importer) {
    if (!/^\.\.?(\/|$)/.test(path)) {
      return told(
        `${JSON.stringify(path)} cannot be imported: a script that the server builds has "@parlor/guest" and the files of its folder. `
          + `With packages of npm it is a project, which "parlor build" makes a component of`,
      );
    }
    const wanted = join(dirname(importer), path);
    if (wanted === ".." || wanted.startsWith("../")) return told(`${JSON.stringify(path)} leaves the script's folder, which it may not`);
    // Nothing is looked for there, so that nobody learns what is there.
    if (this.#isFlat && wanted.includes("/") && !wanted.startsWith(".")) return told(`${JSON.stringify(path)} is in a folder of another tenant, or in none`);
    const names = [wanted, ...OTHERS.map(([end, other]) => wanted.replace(end, other)).filter((name) => name !== wanted)];
    const found = names.find((name) => loaderOf(name) !== undefined && this.read(name) !== undefined);
    if (found !== undefined) return { path: found, namespace: SPACE };
    const ends = Object.keys(LOADERS).join(" ");
    return told(`there is no ${JSON.stringify(path)} in the script's folder${loaderOf(wanted) === undefined && /\.\w+$/.test(wanted) ? ` that can be imported: files end in ${ends}` : ""}`);
  }

  /** What esbuild asks in place of its file system; `outside` are the names that the SDK is imported as. */
  plugin(outside) {
    return {
      name: "parlor-script",
      setup: (build) => {
        // Only the bundle itself names the script so: in the script's own files it is a name as any other.
        build.onResolve({ filter: /^script:/ }, ({ path, namespace }) => (namespace === SPACE ? undefined : { path: path.slice(PREFIX.length), namespace: SPACE }));
        build.onResolve({ filter: /.*/, namespace: SPACE }, ({ path, importer }) => {
          if (outside.test(path)) return undefined;
          try {
            return this.#resolve(path, importer);
          } catch (error) {
            return { errors: error.errors ?? [{ text: error.message }] };
          }
        });
        build.onLoad({ filter: /.*/, namespace: SPACE }, ({ path }) => {
          const loader = loaderOf(path);
          // A plugin's module may export nothing, and is a module all the same.
          const end = loader === "ts" ? "\nexport {};" : "";
          return { contents: (this.read(path) ?? "") + end, loader };
        });
        // What an import() with a computed name may mean esbuild looks for by itself, from the folder that it runs in.
        build.onLoad({ filter: /.*/, namespace: "file" }, () => told(NO_NAME));
      },
    };
  }

  /** What the bundle imports as the script. */
  entry(name) {
    return PREFIX + name;
  }

  /** The name of a source of the bundle's map, where it is one of these files. */
  nameOf(source) {
    const name = source.startsWith(PREFIX) ? source.slice(PREFIX.length) : undefined;
    return this.files.has(name) ? name : undefined;
  }

  /** A message of esbuild's on one line, with the file and the line that it is about. */
  line({ text, location }) {
    // Whether there are files that it may mean is nobody's business.
    const words = text.startsWith("Could not resolve import(") || text.startsWith("Could not resolve require(") ? NO_NAME : text.replace(/\s*\n\s*/g, " ");
    if (location === null || location === undefined) return words;
    const file = location.file.startsWith(PREFIX) ? location.file.slice(PREFIX.length) : location.file;
    return `${file}:${location.line}:${location.column + 1}: ${words}`;
  }
}

function loaderOf(name) {
  return LOADERS[/\.[a-z]+$/.exec(name)?.[0]];
}

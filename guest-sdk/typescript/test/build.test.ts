/** `parlor-guest build`, as authors and `parlor build` call it. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { project } from "./project.js";

const CLI = join(process.cwd(), "build/cli.mjs");
const OUT = "dist/doubles.wasm";

const ROOM = `import { defineRoom } from "verani";
import type { Move } from "./types.ts";
import { twice } from "./twice";
const room = defineRoom({ websocketPath: "/ws/doubles" });
room.on("double", async (ctx, data: Move) => {
  await ctx.actor.getStorage().put("last", data.n);
  ctx.emit.emit("doubled", { n: twice(data.n) });
});
`;
const FILES = {
  "src/index.ts": ROOM,
  "src/twice.ts": "export const twice = (n: number) => 2 * n;\n",
  "src/types.ts": "export interface Move { n: number }\n",
};

function build(cwd: string, ...args: string[]) {
  const usual = ["build", "--entry", "src/index.ts", "--name", "doubles", "--out", OUT];
  const done = spawnSync(process.execPath, [CLI, ...(args[0] === "build" ? [] : usual), ...args], { cwd, encoding: "utf8" });
  return { status: done.status, said: done.stdout + done.stderr };
}

test("a project becomes a component, without a word; what it read is told", (t) => {
  const root = project(t, FILES);
  assert.deepEqual(build(root, "--inputs", "inputs.json"), { status: 0, said: "" });
  const component = readFileSync(join(root, OUT));
  assert.deepEqual([...component.subarray(0, 8)], [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]);
  assert.deepEqual(readdirSync(join(root, "dist")), ["doubles.wasm"]);
  const inputs = ["package.json", "src/index.ts", "src/twice.ts", "src/types.ts", "tsconfig.json"];
  assert.deepEqual(JSON.parse(readFileSync(join(root, "inputs.json"), "utf8")), inputs.map((file) => join(root, file)));
});

test("wrong types are told in the compiler's form, and leave no component", (t) => {
  const root = project(t, { ...FILES, "src/twice.ts": "export const twice = (n: string) => n + n;\n" });
  const { status, said } = build(root, "--inputs", "inputs.json");
  assert.equal(status, 1);
  assert.match(said, /^src\/index\.ts\(7,39\): error TS2345: Argument of type 'number'/);
  assert.ok(!existsSync(join(root, OUT)));
  assert.ok(JSON.parse(readFileSync(join(root, "inputs.json"), "utf8")).includes(join(root, "src/twice.ts")));
});

test("what cannot be bundled is told with its place, and what was read is told all the same", (t) => {
  const index = `import { defineRoom } from "@parlor/guest";\nimport "node:fs";\nimport "./twice";\nimport "@parlor/guest/testing";\ndefineRoom();\nawait 1;\n`;
  const root = project(t, { ...FILES, "src/index.ts": index });
  const { status, said } = build(root, "--no-check", "--inputs", "inputs.json");
  assert.equal(status, 1);
  assert.match(said, /Could not resolve "node:fs"[^]*src\/index\.ts:2:7[^]*sandbox without node/);
  assert.match(said, /"@parlor\/guest\/testing" is for tests/);
  assert.match(said, /cannot await at its top level[^]*src\/index\.ts:6:0/);
  const inputs = JSON.parse(readFileSync(join(root, "inputs.json"), "utf8"));
  assert.ok(inputs.includes(join(root, "src/index.ts")) && inputs.includes(join(root, "package.json")));
});

test("a top level that throws is told with the author's places", (t) => {
  const index = `import { defineRoom } from "verani";\ndefineRoom();\nfunction start(): void {\n  throw new Error("not today");\n}\nstart();\n`;
  const { status, said } = build(project(t, { "src/index.ts": index }));
  assert.equal(status, 1);
  assert.match(said, /not today[^]*src\/index\.ts:4:2[^]*throw new Error[^]*src\/index\.ts:6\)/);
});

test("wrong usage has a status of its own", (t) => {
  const root = project(t, FILES);
  assert.equal(build(root, "build", "--entry", "src/index.ts").status, 2);
  assert.match(build(root, "--nonsense").said, /nonsense/);
  const nowhere = build(root, "build", "--entry", "none.ts", "--name", "n", "--out", "n.wasm");
  assert.deepEqual([nowhere.status, nowhere.said], [1, "parlor-guest: there is no file none.ts\n"]);
});

/** A Worker's entry with this route beside that of the room. */
const worker = (route: string) => `import { createActorHandler, defineRoom } from "verani";
const ChatRoom = createActorHandler(defineRoom({ name: "chat" }));
export { ChatRoom };
interface Env { CHAT: DurableObjectNamespace }
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/ws")) {
      const stub = ChatRoom.get("chat-room");
      return stub.fetch(request);
    }
    ${route}
    return new Response("Not Found", { status: 404 });
  },
};
`;

test("a Worker's entry builds where its routes do what the server does, and else says which does not", (t) => {
  assert.deepEqual(build(project(t, { "src/index.ts": worker("") })), { status: 0, said: "" });
  const refused = (route: string) => build(project(t, { "src/index.ts": worker(route) }), "--no-check");
  const answers = refused(`if (url.pathname === "/stats") return Response.json({ users: await ChatRoom.get("a").getSessionCount() });`);
  assert.equal(answers.status, 1);
  assert.match(answers.said, /^parlor-guest: src\/index\.ts:6: `return Response\.json\(.*would never be answered.*\/_parlor\/api\/rooms/s);
  const named = refused(`if (url.pathname === "/room") return ChatRoom.get(url.searchParams.get("id")!).fetch(request);`);
  assert.match(named.said, /the room `url\.searchParams\.get\("id"\)?` would not be the one that clients reach/);
});

test("a check in a Worker's fetch, which would not be made, is an error that names extractMeta", (t) => {
  const refused = (route: string) => {
    const { status, said } = build(project(t, { "src/index.ts": worker(route) }), "--no-check");
    assert.equal(status, 1, route);
    assert.match(said, /^parlor-guest: src\/index\.ts:6: /, route);
    return said;
  };
  for (const route of [
    `if (!url.searchParams.get("token")) return new Response("Unauthorized", { status: 401 });`,
    `if (url.pathname === "/x") return new Response("Unauthorized", { status: 401 });`,
    `if (url.pathname === "/x") return Response.json({}, { status: 403 });`,
    `if (!(await allowed(request))) return new Response(null, { status: 404 });`,
    `if (request.headers.get("Authorization") !== (env as any).TOKEN) return new Response(null, { status: 404 });`,
    `const user = await verify(request);`,
    `const params = url.searchParams; if (!params.get("token")) return new Response(null, { status: 404 });`,
    `if (!url.search.includes("token=a")) return new Response(null, { status: 404 });`,
    `if (url.pathname === "/x") throw new Error("no");`,
  ]) assert.match(refused(route), /`extractMeta` says: `throw new Rejection\(401\)` \(docs\/authors\/auth\.md\)/, route);
  for (const route of ["await audit(request);", "env.waitUntil(audit());", "for (;;) audit();", "try { audit(); } catch {}", "count += 1;"]) {
    assert.match(refused(route), /would never happen/, route);
  }
  for (const route of ["return app.fetch(request);", `return ChatRoom.get("a") && app(url).fetch(request);`, "return env.ASSETS.fetch(request);", `return new Response(await page(), { status: 404 });`]) {
    assert.match(refused(route), /would never be answered/, route);
  }
  for (const id of ["roomId", "url.pathname.slice(1)", `url.searchParams.get("room") + "x"`, `env.CHAT.idFromName(url.pathname)`]) {
    assert.match(refused(`return ChatRoom.get(${id}).fetch(request);`), /would not be the one that clients reach/, id);
  }
  assert.match(refused(`const chatId = url.hostname; return ChatRoom.get(chatId).fetch(request);`), /the room `url\.hostname` would not/);
});

test("what Cloudflare calls of a Worker's beside fetch is told at its line, with what there is for it", (t) => {
  const head = `import { createActorHandler, defineRoom } from "verani";\nexport const Room = createActorHandler(defineRoom());\n`;
  const handlers = {
    scheduled: "onAlarm", queue: "onAlarm", email: "/_parlor/api/rooms", tail: "observe.md",
  };
  for (const [word, instead] of Object.entries(handlers)) {
    for (const text of [
      `export default {\n  name: "scheduled queue email",\n  async ${word}(event: unknown, env: unknown) {},\n};`,
      `const worker = {\n  fetch: (request: any) => Room.get("a").fetch(request),\n  ${word}: async () => {},\n};\nexport default worker;`,
      `export default class Worker {\n  own() {}\n  async ${word}(event: unknown) {}\n}`,
    ]) {
      const { status, said } = build(project(t, { "src/index.ts": head + text }), "--no-check");
      assert.equal(status, 1, text);
      assert.ok(said.startsWith(`parlor-guest: src/index.ts:5: a Worker's \`${word}\` is not run: `) && said.includes(instead), said);
    }
  }
});

test("routes that only hand on or have nothing build without a word", (t) => {
  const routes = `if (request.headers.get("Upgrade") !== "websocket") {
      return new Response("Expected an upgrade {", { status: 426, headers: { Upgrade: "websocket" } });
    } else if (request.method !== "GET") return new Response(null, { status: 405 });
    switch (url.pathname) { case "/a": return ChatRoom.getByName("a").fetch(request); default: break; }
    const id = env.CHAT.idFromName(url.searchParams.get("room") ?? "default");
    if (/^\\/w["{]/.test(url.pathname)) return env.CHAT.get(id).fetch(request);`;
  assert.deepEqual(build(project(t, { "src/index.ts": worker(routes) }), "--no-check"), { status: 0, said: "" });
});

test("a default export that is not read is not passed over in silence", (t) => {
  const head = `import { createActorHandler, defineRoom } from "verani";\nconst room = defineRoom();\nconst Room = createActorHandler(room);\n`;
  const built = (text: string) => build(project(t, { "src/index.ts": head + text, "src/app.ts": "export const app = {};\n" }), "--no-check");
  for (const text of [
    "const worker = { fetch: handler };\nexport default worker;",
    "export default { fetch: (request) => answer(request) };",
    "const app = { fetch };\nexport { app as default };",
    "export default { ...app };",
  ]) {
    const { status, said } = built(`declare const app: any, answer: any, fetch: any, handler: any;\n${text}\n`.replace("app: any, ", text.includes("const app") ? "" : "app: any, "));
    assert.equal(status, 1, text);
    assert.match(said, /^parlor-guest: src\/index\.ts:5: .*(is not run|would never be answered)/, text);
  }
  const warned = built(`import { app } from "./app.ts";\nexport default app;\n`);
  assert.equal(warned.status, 0, warned.said);
  assert.match(warned.said, /^parlor-guest: warning: src\/index\.ts:5: this default export, `app`, is not run/);
  for (const text of ["export default room;", "export default { fetch: (request) => Room.get(\"a\").fetch(request) };", "export default { name: 1 };"]) {
    assert.deepEqual(built(text), { status: 0, said: "" }, text);
  }
});

test("what a dependency asks for that is not there is told with a way out", (t) => {
  const asking = (source: string) => {
    const index = `import { defineRoom } from "@parlor/guest";\nimport "asks";\ndefineRoom();\n`;
    const root = project(t, { "src/index.ts": index, "node_modules/asks/package.json": `{ "name": "asks" }`, "node_modules/asks/index.js": source });
    const { status, said } = build(root, "--no-check");
    return [status, said.replace(/\s+/g, " ")] as const;
  };
  const cases: [string, number, RegExp][] = [
    [`exports.later = () => require("crypto");`, 0, /asks asks for crypto, which throws where it comes to it/],
    [`require("crypto");`, 1, /crypto is one of node's own modules, .* node_modules\/asks\/index\.js:1/],
    [`exports.kind = FormData;`, 1, /FormData is not defined .* There is no FormData in a plugin\..*"define": \{ "FormData": "Object" \}/],
    [`exports.run = (bytes) => new WebAssembly.Module(bytes);`, 0, /no WebAssembly within a plugin.* node_modules\/asks\/index\.js:1/],
    [`import "node:events";`, 1, /npm install events, and in package\.json: "parlor": \{ "esbuild": \{ "alias": \{ "node:events": "events" \} \} \}/],
  ];
  for (const [source, status, words] of cases) {
    const [ended, said] = asking(source);
    assert.equal(ended, status, said);
    assert.match(said, words);
  }
});

test("decorators that ask for types of the compiler are told that there are none", (t) => {
  const settings = { extends: join(process.cwd(), "tsconfig.base.json"), compilerOptions: { experimentalDecorators: true, emitDecoratorMetadata: true } };
  const { status, said } = build(project(t, { ...FILES, "tsconfig.json": JSON.stringify(settings) }), "--no-check");
  assert.deepEqual([status, /emitDecoratorMetadata of .*tsconfig\.json is not followed/.test(said)], [0, true]);
});

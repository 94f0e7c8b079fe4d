/** Type names of a Worker's entry file, and of a Durable Object's storage: so that such a file builds. Parlor does not run its `fetch`. */

type DurableObjectStorage = import("./durable.js").DurableObjectStorage;
type DurableObjectTransaction = import("./durable.js").DurableObjectTransaction;

/** A socket of the room. */
type WebSocket = import("./context.js").Socket<any>;
declare var WebSocket: {
  prototype: WebSocket;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
  readonly READY_STATE_CONNECTING: 0;
  readonly READY_STATE_OPEN: 1;
  readonly READY_STATE_CLOSING: 2;
  readonly READY_STATE_CLOSED: 3;
};

/** What a Worker answers. There are none in a plugin: its `fetch` is not run. */
interface Response {
  readonly status: number;
  readonly headers: Headers;
}
declare var Response: {
  prototype: Response;
  new (body?: string | null, init?: { status?: number; statusText?: string; headers?: Headers | Record<string, string> }): Response;
  json(data: any, init?: { status?: number; headers?: Headers | Record<string, string> }): Response;
};

/** A binding of a Worker. */
interface DurableObjectNamespace {
  get(id: any): import("./actors.js").ActorStub;
  getByName(name: string): import("./actors.js").ActorStub;
  idFromName(name: string): any;
}
/** What a Worker is called with. */
interface ExecutionContext {
  waitUntil(promise: Promise<any>): void;
  passThroughOnException(): void;
}
/** A Worker's entry: `export default { fetch } satisfies ExportedHandler`. */
interface ExportedHandler<Env = unknown> {
  fetch?(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response>;
}

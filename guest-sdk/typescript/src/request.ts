/** The request that asks for a connection. */

import type { ContractRequest } from "./host.js";
import { Headers, Request } from "./web.js";

export class ConnectRequest extends Request {
  readonly room: string;
  readonly remote: string;
  readonly auth: unknown;

  constructor({ uri, room, headers, remote }: ContractRequest) {
    super({ url: uri }, { headers: new Headers(headers) });
    this.room = room;
    this.remote = remote;
    const auth = headers.find(([name]) => name === "parlor-auth");
    this.auth = auth === undefined ? undefined : JSON.parse(auth[1]);
  }
}

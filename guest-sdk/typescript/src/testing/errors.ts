/** What a test room throws at a test. */

import type { Failed } from "../../types/testing.js";

/** A turn failed that the test waits for. */
export class TurnFailed extends Error {
  override readonly name = "TurnFailed";
  readonly event: string;
  readonly code: string;

  constructor({ event, code, message }: Failed) {
    super(message);
    this.event = event;
    this.code = code;
  }
}

/** A connection is refused. */
export class ConnectionRefused extends Error {
  override readonly name = "ConnectionRefused";

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

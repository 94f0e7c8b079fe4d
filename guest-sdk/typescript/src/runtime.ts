/** One instance of a plugin: what the host calls it for, as far as the engine (`engine/turn.c`) does not do it. */

import { answerBody, stateBody } from "./answer.js";
import { endGroups, write } from "./console.js";
import { Refused, Rejection, RoomError, failure, withCauses } from "./errors.js";
import {
  eventCause,
  eventSocket,
  setDefinition,
  takeAnswer,
  type Context,
  type ContractMeta,
  type ContractRejection,
  type ContractRequest,
  type Failure,
  type Payload,
} from "./host.js";
import * as history from "./history.js";
import { described } from "./lines.js";
import * as loop from "./loop.js";
import * as meta from "./meta.js";
import * as presence from "./presence.js";
import { definition } from "./room.js";
import * as socket from "./socket.js";
import * as transactions from "./transaction.js";
import { ConnectRequest } from "./request.js";

/** The path of rooms that say none. */
const DEFAULT_PATH = "/ws";

/** The end of the top level: what the plugin has to have said by then, and what of it was to run later. */
export function seal(pluginName: string): void {
  const defined = definition();
  if (defined === undefined) throw new Error("this plugin has no room: call defineRoom at the top level of its module");
  const { name = pluginName, websocketPath = DEFAULT_PATH } = defined;
  setDefinition(String(name), websocketPath, defined.onStart !== undefined || history.isAsked());
  loop.endTurn(false);
}

/** The beginning of an instance, for a plugin that has something to say or to do then. Answers why it cannot begin. */
export function begin(): string | undefined {
  try {
    definition()!.onStart?.();
    history.start();
    return undefined;
  } catch (thrown) {
    return withCauses(thrown);
  }
}

/** Asks the plugin who wants to connect. */
export function authorize(request: ContractRequest): ContractMeta | null {
  const defined = definition()!;
  if (defined.extractMeta === undefined) return null;
  let found: unknown;
  try {
    found = defined.extractMeta(new ConnectRequest(request));
    if (loop.isThenable(found)) found = loop.waitFor(found, "extractMeta");
    found = found === null || found === undefined ? null : meta.toContract(found);
  } catch (thrown) {
    throw rejection(thrown);
  } finally {
    loop.endTurn(true);
    endGroups();
  }
  return found as ContractMeta | null;
}

function rejection(thrown: unknown): ContractRejection {
  if (isRejection(thrown)) {
    const { status, message } = thrown;
    return { status: Number.isInteger(status) && status >= 0 && status < 65_536 ? status : 500, message: String(message) };
  }
  write("error", `extractMeta failed: ${readable(() => described(thrown))}`);
  return { status: 401, message: "" };
}

function isRejection(thrown: unknown): thrown is Rejection {
  try {
    return thrown instanceof Rejection;
  } catch {
    return false;
  }
}

const UNREADABLE = "what was thrown cannot be read";

/** The words for something that was thrown. It may be a proxy, of which not even its class can be asked. */
function readable(words: () => string): string {
  try {
    return words();
  } catch {
    return UNREADABLE;
  }
}

/** What a handler returned that is no promise and no answer, but may be something like a promise. */
export function settled(result: unknown, event: string): unknown {
  return loop.isThenable(result) ? loop.waitFor(result, ofHandler(event)) : result;
}

export function neverSettled(event: string): never {
  loop.neverSettled(ofHandler(event));
}

function ofHandler(event: string): string {
  return `a handler of ${JSON.stringify(event)}`;
}

export function noSocket(event: string): never {
  throw new RoomError("no-socket", `the event ${event} came without a socket`);
}

export function tooLate(): never {
  throw new RoomError("no-turn", "the turn of the event is over: an acknowledgement is called before its handlers end");
}

/**
 * Ends a turn in which more was begun than handlers that returned: something failed, or was asked to be ended. Returns the
 * answer.
 */
export function endTurn(ctx: Context, failed: boolean, error: unknown): Payload | null {
  let body: Payload | null = null;
  const cause = eventCause(ctx);
  const socketId = eventSocket(ctx);
  try {
    loop.endTurn(failed);
    if (!failed) meta.settle();
    // A state that is left behind is no moment to say anything.
    if (!failed && cause !== "$suspend") presence.tell();
    const answer = takeAnswer(ctx);
    // What an answer attaches is for itself: it comes behind the last emit.
    if (!failed && answer !== undefined) body = cause === "$suspend" ? stateBody(answer) : answerBody(answer);
  } catch (thrown) {
    failed = true;
    error = thrown;
  }
  presence.end(failed);
  meta.endTurn(failed);
  if ((cause === "$disconnect" || cause === "$user-leave") && socketId !== null) {
    meta.forget(socketId);
    socket.forget(socketId);
  }
  socket.endTurn();
  transactions.endTurn();
  endGroups();
  if (failed) throw told(error);
  return body;
}

/** The failure of a turn. What clients are not told of, authors find in the log with its place. */
function told(error: unknown): Failure {
  try {
    if (!(error instanceof Refused)) write("error", described(error));
    return failure(error);
  } catch {
    write("error", UNREADABLE);
    return { code: "error", message: UNREADABLE, forSender: false };
  }
}

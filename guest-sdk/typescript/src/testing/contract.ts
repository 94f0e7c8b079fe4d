/** The contract's functions: what they take and answer, as the canonical ABI has it. */

import {
  bool,
  bytes,
  double,
  list,
  number,
  option,
  payload,
  record,
  result,
  short,
  text,
  variant,
  type Kind,
} from "./abi.js";

/** A function that the engine imports. */
export interface Signature {
  /** Its interface and name among what `imports.ts` answers. */
  readonly module: string;
  readonly name: string;
  /** The engine's name for it. */
  readonly engine: string;
  readonly takes: readonly Kind[];
  /** None where it answers nothing at all. */
  readonly answers: Kind | undefined;
}

const meta = record({ userId: text, clientId: text, channels: list(text), fields: text });
const entry = record({ key: text, value: bytes });
const page = record({ entries: list(entry), next: option(text) });
const said = record({ position: text, event: text, data: payload, at: double });
const history = record({ entries: list(said), recovered: bool });
const refusal = variant({ "limit-exceeded": text, "no-such-socket": undefined, "no-turn": undefined, invalid: text, other: text });
const level: Kind = {
  ...number,
  take: (room, flat) => ["debug", "info", "warn", "error"][number.take(room, flat) as number],
};

/** Users or clients, where an emit is for some. */
const whom = option(list(text));

const refusable = (kind?: Kind): Kind => result(kind, refusal);

/** By the names that the module of the engine imports them as. */
export const SIGNATURES: Readonly<Record<string, Signature>> = Object.fromEntries(
  (
    [
      ["events", "on", "eventsOn", [text], refusable()],
      ["events", "off", "eventsOff", [text], refusable()],
      ["sockets", "get-meta", "getMeta", [number], refusable(meta)],
      ["sockets", "present", "present", [option(text)], refusable(list(number))],
      ["sockets", "of-channel", "ofChannel", [text, option(number), number], refusable(list(number))],
      ["sockets", "set-fields", "setFields", [number, text], refusable()],
      ["sockets", "join", "join", [number, text], refusable()],
      ["sockets", "leave", "leave", [number, text], refusable()],
      ["sockets", "close", "close", [number, number, text], refusable()],
      ["outbox", "to-socket", "toSocket", [number, text, payload], refusable(number)],
      ["outbox", "to-named", "toNamed", [text, text, payload], refusable(number)],
      ["outbox", "to-channel", "toChannel", [text, text, payload], refusable(number)],
      ["outbox", "to-channel-except", "toChannelExcept", [text, list(text), text, payload], refusable(number)],
      ["outbox", "to-channel-some", "toChannelSome", [text, whom, whom, list(text), text, payload], refusable(number)],
      ["outbox", "to-room", "toRoom", [text, option(text), whom, whom, text, payload], refusable()],
      ["outbox", "to-user", "toUser", [text, text, payload], refusable(number)],
      ["outbox", "to-clients", "toClients", [list(text), text, payload], refusable(number)],
      ["outbox", "attach", "attach", [bytes], refusable(number)],
      ["outbox", "spread", "spread", [], refusable()],
      ["outbox", "ask", "ask", [number, text, payload, text, number], refusable()],
      ["inbox", "arguments", "argumentCount", [], number],
      ["inbox", "attachments", "attachments", [], list(bytes)],
      ["storage", "get", "storageGet", [text], refusable(option(bytes))],
      ["storage", "get-many", "storageGetMany", [list(text)], refusable(list(option(bytes)))],
      ["storage", "put", "storagePut", [text, bytes], refusable()],
      ["storage", "put-many", "storagePutMany", [list(entry)], refusable()],
      ["storage", "delete", "storageDelete", [text], refusable(bool)],
      ["storage", "delete-many", "storageDeleteMany", [list(text)], refusable(number)],
      ["storage", "scan", "storageScan", [text, option(text), number], refusable(page)],
      ["history", "keep", "historyKeep", [text, number, number, bool], refusable()],
      ["history", "read", "historyRead", [text, option(text), number], refusable(history)],
      ["history", "position", "historyPosition", [text], refusable(text)],
      ["timers", "set", "timerSet", [text, number, option(payload)], refusable()],
      ["timers", "cancel", "timerCancel", [text], refusable(bool)],
      ["alarm", "set", "alarmSet", [double], refusable()],
      ["alarm", "get", "alarmGet", [], refusable(option(double))],
      ["alarm", "cancel", "alarmCancel", [], refusable()],
      ["room", "id", "roomId", [], refusable(text)],
      ["room", "session-count", "sessionCount", [], refusable(number)],
      ["room", "user-ids", "userIds", [], refusable(list(text))],
      ["clock", "now", "clockNow", [], double],
      ["random", "get-bytes", "randomBytes", [number], refusable(bytes)],
      ["logging", "write", "logWrite", [level, text], undefined],
      ["config", "get", "configGet", [text], option(text)],
    ] as [string, string, string, Kind[], Kind | undefined][]
  ).map(([module, wit, engine, takes, answers]) => {
    const name = wit.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    return [`parlor:room/${module}@0.1.0#${wit}`, { module, name, engine, takes, answers }];
  }),
);

/** What the engine exports. */
const request = record({ uri: text, room: text, headers: list(record({ 0: text, 1: text })), remote: text });
const rejection = record({ status: short, message: text });
const event = record({
  cause: text,
  name: text,
  channel: option(text),
  payload: option(payload),
  socket: option(number),
  answerWanted: bool,
  acceptedAt: double,
});
const failure = record({ code: text, message: text, forSender: bool });
const definition = record({ name: text, path: text });

export const GUEST = {
  init: { takes: [], answers: result(definition, text) },
  authorize: { takes: [request], answers: result(option(meta), rejection) },
  handle: { takes: [event], answers: result(option(payload), failure) },
} satisfies Record<string, { takes: Kind[]; answers: Kind }>;

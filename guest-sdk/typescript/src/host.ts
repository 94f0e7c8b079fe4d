/**
 * The host's functions, and those of the engine that run its jobs: the one place that names the module which the engine
 * (`engine/`) has them in.
 *
 * They are named one by one, so that a call of one is a call of a binding and no look-up in a module.
 */

/// <reference path="./contract.d.ts" />

export {
  alarmCancel,
  alarmGet,
  alarmSet,
  argumentCount,
  ask,
  attach,
  attachments,
  clockNow,
  close,
  configGet,
  drain,
  eventsOff,
  eventsOn,
  frames,
  fromUtf8,
  getMeta,
  isIdle,
  join,
  leave,
  logWrite,
  outcome,
  randomBytes,
  roomId,
  sessionCount,
  setFields,
  spread,
  storageDelete,
  storageDeleteMany,
  storageGet,
  storageGetMany,
  storagePut,
  storagePutMany,
  storageScan,
  takeUnhandled,
  timerCancel,
  timerSet,
  toChannel,
  toChannelExcept,
  toClients,
  toNamed,
  toSocket,
  toUser,
  toUtf8,
  userIds,
} from "parlor:engine";
export type {
  ContractMeta,
  ContractRejection,
  ContractRequest,
  Definition,
  Entries,
  Entry,
  Event,
  Failure,
  Level,
  Payload,
  Refusal,
} from "parlor:engine";

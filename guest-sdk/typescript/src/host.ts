/**
 * The host's functions: the one place that names the contract's imports. In a component they are the real ones;
 * `parlor-guest test` resolves `parlor:room/*` to the test room's.
 *
 * They are named one by one, so that a call of one is a call of a binding and no look-up in a module.
 */

/// <reference path="./contract.d.ts" />

export { get as alarmGet, set as alarmSet, cancel as alarmCancel } from "parlor:room/alarm@0.1.0";
export { now as clockNow } from "parlor:room/clock@0.1.0";
export { get as configGet } from "parlor:room/config@0.1.0";
export { on as eventsOn, off as eventsOff } from "parlor:room/events@0.1.0";
export { arguments as argumentCount, attachments } from "parlor:room/inbox@0.1.0";
export { write as logWrite } from "parlor:room/logging@0.1.0";
export {
  ask,
  attach,
  spread,
  toChannel,
  toChannelExcept,
  toChannelSome,
  toClients,
  toNamed,
  toRoom,
  toSocket,
  toUser,
} from "parlor:room/outbox@0.1.0";
export { getBytes as randomBytes } from "parlor:room/random@0.1.0";
export { id as roomId, sessionCount, userIds } from "parlor:room/room@0.1.0";
export { close, getMeta, join, leave, present, setFields } from "parlor:room/sockets@0.1.0";
export {
  get as storageGet,
  getMany as storageGetMany,
  put as storagePut,
  putMany as storagePutMany,
  delete as storageDelete,
  deleteMany as storageDeleteMany,
  scan as storageScan,
} from "parlor:room/storage@0.1.0";
export { set as timerSet, cancel as timerCancel } from "parlor:room/timers@0.1.0";
export type { Level } from "parlor:room/logging@0.1.0";
export type {
  Definition,
  Event,
  Failure,
  Meta as ContractMeta,
  Payload,
  Refusal,
  Rejection as ContractRejection,
  Request as ContractRequest,
} from "parlor:room/types@0.1.0";

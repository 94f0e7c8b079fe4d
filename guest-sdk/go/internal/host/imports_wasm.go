package host

import "unsafe"

// The imports, as the canonical ABI has them: a string is two numbers, a list is its address and length, a payload is its
// kind and a string, and what answers more than one number writes it to the last argument.

//go:wasmimport parlor:room/events@0.1.0 on
func eventsOn(event string, ret unsafe.Pointer)

//go:wasmimport parlor:room/events@0.1.0 off
func eventsOff(event string, ret unsafe.Pointer)

//go:wasmimport parlor:room/sockets@0.1.0 get-meta
func socketsGetMeta(socket uint32, ret unsafe.Pointer)

//go:wasmimport parlor:room/sockets@0.1.0 present
func socketsPresent(hasUser uint32, user string, ret unsafe.Pointer)

//go:wasmimport parlor:room/sockets@0.1.0 of-channel
func socketsOfChannel(channel string, hasAfter, after, limit uint32, ret unsafe.Pointer)

//go:wasmimport parlor:room/sockets@0.1.0 set-fields
func socketsSetFields(socket uint32, fields string, ret unsafe.Pointer)

//go:wasmimport parlor:room/sockets@0.1.0 join
func socketsJoin(socket uint32, channel string, ret unsafe.Pointer)

//go:wasmimport parlor:room/sockets@0.1.0 leave
func socketsLeave(socket uint32, channel string, ret unsafe.Pointer)

//go:wasmimport parlor:room/sockets@0.1.0 close
func socketsClose(socket uint32, code uint32, reason string, ret unsafe.Pointer)

//go:wasmimport parlor:room/outbox@0.1.0 to-socket
func outboxToSocket(socket uint32, event string, kind uint32, data string, ret unsafe.Pointer)

//go:wasmimport parlor:room/outbox@0.1.0 to-named
func outboxToNamed(target string, event string, kind uint32, data string, ret unsafe.Pointer)

//go:wasmimport parlor:room/outbox@0.1.0 to-channel
func outboxToChannel(channel string, event string, kind uint32, data string, ret unsafe.Pointer)

//go:wasmimport parlor:room/outbox@0.1.0 to-channel-except
func outboxToChannelExcept(channel string, clients, count uint32, event string, kind uint32, data string, ret unsafe.Pointer)

//go:wasmimport parlor:room/outbox@0.1.0 to-channel-some
func outboxToChannelSome(channel string, hasUsers, users, userCount, hasClients, clients, clientCount, excluded, excludedCount uint32, event string, kind uint32, data string, ret unsafe.Pointer)

//go:wasmimport parlor:room/outbox@0.1.0 to-room
func outboxToRoom(room string, hasChannel uint32, channel string, hasUsers, users, userCount, hasClients, clients, clientCount uint32, event string, kind uint32, data string, ret unsafe.Pointer)

//go:wasmimport parlor:room/outbox@0.1.0 to-user
func outboxToUser(user string, event string, kind uint32, data string, ret unsafe.Pointer)

//go:wasmimport parlor:room/outbox@0.1.0 to-clients
func outboxToClients(clients, count uint32, event string, kind uint32, data string, ret unsafe.Pointer)

//go:wasmimport parlor:room/outbox@0.1.0 attach
func outboxAttach(bytes string, ret unsafe.Pointer)

//go:wasmimport parlor:room/outbox@0.1.0 spread
func outboxSpread(ret unsafe.Pointer)

//go:wasmimport parlor:room/outbox@0.1.0 ask
func outboxAsk(socket uint32, event string, kind uint32, data string, name string, timeout uint32, ret unsafe.Pointer)

//go:wasmimport parlor:room/inbox@0.1.0 arguments
func inboxArguments() uint32

//go:wasmimport parlor:room/inbox@0.1.0 attachments
func inboxAttachments(ret unsafe.Pointer)

//go:wasmimport parlor:room/storage@0.1.0 get
func storageGet(key string, ret unsafe.Pointer)

//go:wasmimport parlor:room/storage@0.1.0 get-many
func storageGetMany(keys, count uint32, ret unsafe.Pointer)

//go:wasmimport parlor:room/storage@0.1.0 put
func storagePut(key string, value string, ret unsafe.Pointer)

//go:wasmimport parlor:room/storage@0.1.0 put-many
func storagePutMany(entries, count uint32, ret unsafe.Pointer)

//go:wasmimport parlor:room/storage@0.1.0 delete
func storageDelete(key string, ret unsafe.Pointer)

//go:wasmimport parlor:room/storage@0.1.0 delete-many
func storageDeleteMany(keys, count uint32, ret unsafe.Pointer)

//go:wasmimport parlor:room/storage@0.1.0 scan
func storageScan(prefix string, hasAfter uint32, after string, limit uint32, ret unsafe.Pointer)

//go:wasmimport parlor:room/timers@0.1.0 set
func timersSet(name string, delay uint32, hasData uint32, kind uint32, data string, ret unsafe.Pointer)

//go:wasmimport parlor:room/timers@0.1.0 cancel
func timersCancel(name string, ret unsafe.Pointer)

//go:wasmimport parlor:room/alarm@0.1.0 set
func alarmSet(at float64, ret unsafe.Pointer)

//go:wasmimport parlor:room/alarm@0.1.0 get
func alarmGet(ret unsafe.Pointer)

//go:wasmimport parlor:room/alarm@0.1.0 cancel
func alarmCancel(ret unsafe.Pointer)

//go:wasmimport parlor:room/history@0.1.0 keep
func historyKeep(channel string, entries, ttl, durable uint32, ret unsafe.Pointer)

//go:wasmimport parlor:room/history@0.1.0 read
func historyRead(channel string, hasAfter uint32, after string, limit uint32, ret unsafe.Pointer)

//go:wasmimport parlor:room/history@0.1.0 position
func historyPosition(channel string, ret unsafe.Pointer)

//go:wasmimport parlor:room/room@0.1.0 id
func roomID(ret unsafe.Pointer)

//go:wasmimport parlor:room/room@0.1.0 session-count
func roomSessionCount(ret unsafe.Pointer)

//go:wasmimport parlor:room/room@0.1.0 user-ids
func roomUserIDs(ret unsafe.Pointer)

//go:wasmimport parlor:room/clock@0.1.0 now
func clockNow() float64

//go:wasmimport parlor:room/random@0.1.0 get-bytes
func randomGetBytes(count uint32, ret unsafe.Pointer)

//go:wasmimport parlor:room/logging@0.1.0 write
func loggingWrite(level uint32, message string)

//go:wasmimport parlor:room/config@0.1.0 get
func configGet(key string, ret unsafe.Pointer)

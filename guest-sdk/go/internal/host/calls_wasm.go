package host

import "unsafe"

// All text passes [Valid] on its way to the host. The data of a payload is JSON, of which its writer sees to that, or bytes.

// On asks for an event.
func On(event string) error {
	eventsOn(Valid(event), result())
	return done()
}

// Off asks for an event no longer.
func Off(event string) error {
	eventsOff(Valid(event), result())
	return done()
}

// GetMeta answers what is known of a socket.
func GetMeta(socket SocketID) (meta Meta, err error) {
	socketsGetMeta(socket, result())
	if err = refused(4); err == nil {
		meta = metaAt(result(), 4)
	}
	release()
	return meta, err
}

// Present answers the sockets that are connected, of one user where one is given.
func Present(user *string) (ids []SocketID, err error) {
	hasUser, of := flag(user)
	socketsPresent(hasUser, of, result())
	if err = refused(4); err == nil {
		ids = wordsAt(result(), 4)
	}
	release()
	return ids, err
}

// OfChannel answers the sockets of a channel behind one, up to a limit.
func OfChannel(channel string, after *SocketID, limit uint32) (ids []SocketID, err error) {
	var has, behind uint32
	if after != nil {
		has, behind = 1, *after
	}
	socketsOfChannel(Valid(channel), has, behind, limit, result())
	if err = refused(4); err == nil {
		ids = wordsAt(result(), 4)
	}
	release()
	return ids, err
}

// SetFields replaces a socket's own fields.
func SetFields(socket SocketID, fields string) error {
	socketsSetFields(socket, Valid(fields), result())
	return done()
}

// Join puts a socket into a channel.
func Join(socket SocketID, channel string) error {
	socketsJoin(socket, Valid(channel), result())
	return done()
}

// Leave takes a socket out of a channel.
func Leave(socket SocketID, channel string) error {
	socketsLeave(socket, Valid(channel), result())
	return done()
}

// Close closes a socket.
func Close(socket SocketID, code uint16, reason string) error {
	socketsClose(socket, uint32(code), Valid(reason), result())
	return done()
}

// ToSocket emits to one socket.
func ToSocket(socket SocketID, event string, data Payload) (uint32, error) {
	outboxToSocket(socket, Valid(event), kind(data), data.Data, result())
	return number()
}

// ToNamed emits to a channel of the turn's own socket without that, or to a user.
func ToNamed(target, event string, data Payload) (uint32, error) {
	outboxToNamed(Valid(target), Valid(event), kind(data), data.Data, result())
	return number()
}

// ToChannel emits to a channel.
func ToChannel(channel, event string, data Payload) (uint32, error) {
	outboxToChannel(Valid(channel), Valid(event), kind(data), data.Data, result())
	return number()
}

// ToChannelExcept emits to a channel without some clients.
func ToChannelExcept(channel string, clients []string, event string, data Payload) (uint32, error) {
	outboxToChannelExcept(Valid(channel), list(clients), uint32(len(clients)), Valid(event), kind(data), data.Data, result())
	return number()
}

// ToChannelSome emits to those of a channel that are of these users and have these client ids, where such are given, without
// some clients.
func ToChannelSome(channel string, users, clients, excluded []string, event string, data Payload) (uint32, error) {
	hasUsers, usersAt := some(users)
	hasClients, clientsAt := some(clients)
	outboxToChannelSome(Valid(channel), hasUsers, usersAt, uint32(len(users)), hasClients, clientsAt, uint32(len(clients)),
		list(excluded), uint32(len(excluded)), Valid(event), kind(data), data.Data, result())
	return number()
}

// ToRoom emits into another room: to a channel, of these users, with these client ids, as far as such are given.
func ToRoom(room string, channel *string, users, clients []string, event string, data Payload) error {
	hasChannel, in := flag(channel)
	hasUsers, usersAt := some(users)
	hasClients, clientsAt := some(clients)
	outboxToRoom(Valid(room), hasChannel, in, hasUsers, usersAt, uint32(len(users)), hasClients, clientsAt,
		uint32(len(clients)), Valid(event), kind(data), data.Data, result())
	return done()
}

// ToUser emits to a user.
func ToUser(user, event string, data Payload) (uint32, error) {
	outboxToUser(Valid(user), Valid(event), kind(data), data.Data, result())
	return number()
}

// ToClients emits to clients.
func ToClients(clients []string, event string, data Payload) (uint32, error) {
	outboxToClients(list(clients), uint32(len(clients)), Valid(event), kind(data), data.Data, result())
	return number()
}

// Attach gives bytes to the next emit, ask or answer.
func Attach(bytes string) error {
	outboxAttach(bytes, result())
	return done()
}

// Spread makes several arguments of the next emit, ask or answer.
func Spread() error {
	outboxSpread(result())
	return done()
}

// Ask asks a socket's client.
func Ask(socket SocketID, event string, data Payload, name string, timeoutMs uint32) error {
	outboxAsk(socket, Valid(event), kind(data), data.Data, Valid(name), timeoutMs, result())
	return done()
}

// Arguments answers how many arguments the client gave.
func Arguments() uint32 {
	return inboxArguments()
}

// Attachments answers the bytes that the event's placeholders name.
func Attachments() [][]byte {
	inboxAttachments(result())
	first, count := wordAt(result(), 0), wordAt(result(), 4)
	attachments := make([][]byte, count)
	for i := range attachments {
		attachments[i] = bytesAt(pointer(first), uintptr(i)*8)
	}
	release()
	return attachments
}

// Get answers the value of a key, nil where it has none.
func Get(key string) (value []byte, err error) {
	storageGet(Valid(key), result())
	if err = refused(4); err == nil {
		value = optionalBytesAt(result(), 4)
	}
	release()
	return value, err
}

func optionalBytesAt(base unsafe.Pointer, offset uintptr) []byte {
	if byteAt(base, offset) == 0 {
		return nil
	}
	return bytesAt(base, offset+4)
}

// GetMany answers the values of keys, nil for each that has none.
func GetMany(keys []string) (values [][]byte, err error) {
	storageGetMany(list(keys), uint32(len(keys)), result())
	if err = refused(4); err == nil {
		first, count := wordAt(result(), 4), wordAt(result(), 8)
		values = make([][]byte, count)
		for i := range values {
			values[i] = optionalBytesAt(pointer(first), uintptr(i)*12)
		}
	}
	release()
	return values, err
}

// Put sets the value of a key.
func Put(key string, value []byte) error {
	storagePut(Valid(key), unsafe.String(unsafe.SliceData(value), len(value)), result())
	return done()
}

// PutMany sets the values of keys.
func PutMany(entries []Entry) error {
	address := allocateOwn(4, uint32(len(entries))*16)
	for i, entry := range entries {
		putText(pointer(address), uintptr(i)*16, entry.Key)
		putBytes(pointer(address), uintptr(i)*16+8, unsafe.String(unsafe.SliceData(entry.Value), len(entry.Value)))
	}
	storagePutMany(address, uint32(len(entries)), result())
	return done()
}

// Delete removes a key; whether it was there.
func Delete(key string) (bool, error) {
	storageDelete(Valid(key), result())
	return truth()
}

// truth ends a call that answers yes or no.
func truth() (bool, error) {
	err := done()
	return err == nil && byteAt(result(), 4) != 0, err
}

// DeleteMany removes keys; how many were there.
func DeleteMany(keys []string) (uint32, error) {
	storageDeleteMany(list(keys), uint32(len(keys)), result())
	return number()
}

// Scan answers a part of the entries whose keys begin with a prefix.
func Scan(prefix string, after *string, limit uint32) (page Page, err error) {
	hasAfter, from := flag(after)
	storageScan(Valid(prefix), hasAfter, from, limit, result())
	if err = refused(4); err == nil {
		first, count := wordAt(result(), 4), wordAt(result(), 8)
		page.Entries = make([]Entry, count)
		for i := range page.Entries {
			entry := unsafe.Add(pointer(first), i*16)
			page.Entries[i] = Entry{Key: textAt(entry, 0), Value: bytesAt(entry, 8)}
		}
		page.Next = optionalTextAt(result(), 12)
	}
	release()
	return page, err
}

// SetTimer lets a timer ring once.
func SetTimer(name string, delayMs uint32, data Payload) error {
	timersSet(Valid(name), delayMs, 1, kind(data), data.Data, result())
	return done()
}

// CancelTimer forgets a timer; whether it was set.
func CancelTimer(name string) (bool, error) {
	timersCancel(Valid(name), result())
	return truth()
}

// SetAlarm sets the alarm.
func SetAlarm(at float64) error {
	alarmSet(at, result())
	return done()
}

// GetAlarm answers when the alarm is due, nil where it is not set.
func GetAlarm() (at *float64, err error) {
	alarmGet(result())
	if err = refused(8); err == nil && byteAt(result(), 8) != 0 {
		due := floatAt(result(), 16)
		at = &due
	}
	release()
	return at, err
}

// CancelAlarm forgets the alarm.
func CancelAlarm() error {
	alarmCancel(result())
	return done()
}

// RoomID answers the room's id.
func RoomID() (id string, err error) {
	roomID(result())
	if err = refused(4); err == nil {
		id = textAt(result(), 4)
	}
	release()
	return id, err
}

// SessionCount answers how many sockets are connected.
func SessionCount() (uint32, error) {
	roomSessionCount(result())
	return number()
}

// UserIDs answers the ids of the users that are connected.
func UserIDs() (ids []string, err error) {
	roomUserIDs(result())
	if err = refused(4); err == nil {
		ids = textsAt(result(), 4)
	}
	release()
	return ids, err
}

// Now answers the time in milliseconds since the Unix epoch.
func Now() float64 {
	return clockNow()
}

// RandomBytes answers bytes that nobody can predict.
func RandomBytes(count uint32) (bytes []byte, err error) {
	randomGetBytes(count, result())
	if err = refused(4); err == nil {
		bytes = bytesAt(result(), 4)
	}
	release()
	return bytes, err
}

// Write writes a line to the log.
func Write(level uint32, message string) {
	loggingWrite(level, Valid(message))
}

// Config answers the value of a key of the configuration, nil where there is none.
func Config(key string) *string {
	configGet(Valid(key), result())
	value := optionalTextAt(result(), 0)
	release()
	return value
}

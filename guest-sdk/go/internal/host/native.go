//go:build !wasm

package host

// Outside of a component there is no host: this lets a plugin be compiled for its tests, whose rooms run it as a component.
const outside = "parlor: only a room can do this; a test drives one with the package parlortest"

// On asks for an event.
func On(event string) error {
	panic(outside)
}

// Off asks for an event no longer.
func Off(event string) error {
	panic(outside)
}

// GetMeta answers what is known of a socket.
func GetMeta(socket SocketID) (meta Meta, err error) {
	panic(outside)
}

// Present answers the sockets that are connected, of one user where one is given.
func Present(user *string) (ids []SocketID, err error) {
	panic(outside)
}

// OfChannel answers the sockets of a channel behind one, up to a limit.
func OfChannel(channel string, after *SocketID, limit uint32) (ids []SocketID, err error) {
	panic(outside)
}

// SetFields replaces a socket's own fields.
func SetFields(socket SocketID, fields string) error {
	panic(outside)
}

// Join puts a socket into a channel.
func Join(socket SocketID, channel string) error {
	panic(outside)
}

// Leave takes a socket out of a channel.
func Leave(socket SocketID, channel string) error {
	panic(outside)
}

// Close closes a socket.
func Close(socket SocketID, code uint16, reason string) error {
	panic(outside)
}

// ToSocket emits to one socket.
func ToSocket(socket SocketID, event string, data Payload) (uint32, error) {
	panic(outside)
}

// ToNamed emits to a channel of the turn's own socket without that, or to a user.
func ToNamed(target, event string, data Payload) (uint32, error) {
	panic(outside)
}

// ToChannel emits to a channel.
func ToChannel(channel, event string, data Payload) (uint32, error) {
	panic(outside)
}

// ToChannelExcept emits to a channel without some clients.
func ToChannelExcept(channel string, clients []string, event string, data Payload) (uint32, error) {
	panic(outside)
}

// ToChannelSome emits to those of a channel that are of these users and have these client ids, where such are given, without
// some clients.
func ToChannelSome(channel string, users, clients, excluded []string, event string, data Payload) (uint32, error) {
	panic(outside)
}

// ToRoom emits into another room: to a channel, of these users, with these client ids, as far as such are given.
func ToRoom(room string, channel *string, users, clients []string, event string, data Payload) error {
	panic(outside)
}

// ToUser emits to a user.
func ToUser(user, event string, data Payload) (uint32, error) {
	panic(outside)
}

// ToClients emits to clients.
func ToClients(clients []string, event string, data Payload) (uint32, error) {
	panic(outside)
}

// Attach gives bytes to the next emit, ask or answer.
func Attach(bytes string) error {
	panic(outside)
}

// Spread makes several arguments of the next emit, ask or answer.
func Spread() error {
	panic(outside)
}

// Ask asks a socket's client.
func Ask(socket SocketID, event string, data Payload, name string, timeoutMs uint32) error {
	panic(outside)
}

// Arguments answers how many arguments the client gave.
func Arguments() uint32 {
	panic(outside)
}

// Attachments answers the bytes that the event's placeholders name.
func Attachments() [][]byte {
	panic(outside)
}

// Get answers the value of a key, nil where it has none.
func Get(key string) (value []byte, err error) {
	panic(outside)
}

// GetMany answers the values of keys, nil for each that has none.
func GetMany(keys []string) (values [][]byte, err error) {
	panic(outside)
}

// Put sets the value of a key.
func Put(key string, value []byte) error {
	panic(outside)
}

// PutMany sets the values of keys.
func PutMany(entries []Entry) error {
	panic(outside)
}

// Delete removes a key; whether it was there.
func Delete(key string) (bool, error) {
	panic(outside)
}

// DeleteMany removes keys; how many were there.
func DeleteMany(keys []string) (uint32, error) {
	panic(outside)
}

// Scan answers a part of the entries whose keys begin with a prefix.
func Scan(prefix string, after *string, limit uint32) (page Page, err error) {
	panic(outside)
}

// SetTimer lets a timer ring once.
func SetTimer(name string, delayMs uint32, data Payload) error {
	panic(outside)
}

// CancelTimer forgets a timer; whether it was set.
func CancelTimer(name string) (bool, error) {
	panic(outside)
}

// SetAlarm sets the alarm.
func SetAlarm(at float64) error {
	panic(outside)
}

// GetAlarm answers when the alarm is due, nil where it is not set.
func GetAlarm() (at *float64, err error) {
	panic(outside)
}

// CancelAlarm forgets the alarm.
func CancelAlarm() error {
	panic(outside)
}

// KeepHistory keeps what is said to a channel.
func KeepHistory(channel string, entries, ttlMs uint32, durable bool) error {
	panic(outside)
}

// ReadHistory answers a part of a channel's history, behind a position where one is given.
func ReadHistory(channel string, after *string, limit uint32) (page SaidPage, err error) {
	panic(outside)
}

// HistoryPosition answers where the last entry of a channel's history stands.
func HistoryPosition(channel string) (position string, err error) {
	panic(outside)
}

// RoomID answers the room's id.
func RoomID() (id string, err error) {
	panic(outside)
}

// SessionCount answers how many sockets are connected.
func SessionCount() (uint32, error) {
	panic(outside)
}

// UserIDs answers the ids of the users that are connected.
func UserIDs() (ids []string, err error) {
	panic(outside)
}

// Now answers the time in milliseconds since the Unix epoch.
func Now() float64 {
	panic(outside)
}

// RandomBytes answers bytes that nobody can predict.
func RandomBytes(count uint32) (bytes []byte, err error) {
	panic(outside)
}

// Write writes a line to the log.
func Write(level uint32, message string) {
	panic(outside)
}

// Config answers the value of a key of the configuration, nil where there is none.
func Config(key string) *string {
	panic(outside)
}

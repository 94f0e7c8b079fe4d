package parlor

import (
	"encoding/hex"
	"time"

	"parlor/internal/host"
)

// SocketID is the number of a socket in its room. It is never given to a second one while the room lives.
type SocketID = uint32

// Actor is the room that a turn belongs to, and what can be done in it. It is of use until the handler returns.
type Actor struct {
	instance *instance
	event    *Event
}

// Emit emits to all sockets of the channel `default`. Data that JSON cannot hold, such as NaN and the infinities, fails with
// the code `json`.
func (actor *Actor) Emit(event string, data any) error {
	return actor.To("default").Emit(event, data)
}

// To is all sockets of a channel, the sender included.
func (actor *Actor) To(channel string) Channel {
	return Channel{channel}
}

// ToSome is some sockets of a channel: say which with [Part.Users], [Part.Clients] and [Part.Except]. What is said to some of a
// channel is never in its history, also where that is all of them.
func (actor *Actor) ToSome(channel string) Part {
	return Part{channel: channel}
}

// ToUser is all sockets of a user in this room.
func (actor *Actor) ToUser(userID string) Target {
	return Target{func(event string, data host.Payload) (uint32, error) { return host.ToUser(userID, event, data) }}
}

// ToClients is the sockets of client ids; one that is named twice gets it once.
func (actor *Actor) ToClients(clientIDs ...string) Target {
	return Target{func(event string, data host.Payload) (uint32, error) { return host.ToClients(clientIDs, event, data) }}
}

// ToRoom is another room: of this plugin, by its id (`lobby`), or of another plugin of the same tenant (`inbox/lobby`). Say whom
// in it with [OtherRoom.Channel], [OtherRoom.Users] and [OtherRoom.Clients].
func (actor *Actor) ToRoom(room string) OtherRoom {
	return OtherRoom{room: room}
}

// Socket is a socket of the room, by its id.
func (actor *Actor) Socket(id SocketID) Socket {
	return Socket{actor.instance, id}
}

// Cause is the socket that caused this turn, if one did.
func (actor *Actor) Cause() (id SocketID, ok bool) {
	if actor.event.event.Socket == nil {
		return 0, false
	}
	return *actor.event.event.Socket, true
}

// SessionCount is how many sockets are connected.
func (actor *Actor) SessionCount() int {
	count, err := host.SessionCount()
	actor.instance.note(err)
	return int(count)
}

// Sockets is the sockets that are connected, in the order in which they came. In [Room.OnConnect] the new one is among them, in
// [Room.OnDisconnect] the old one is not.
func (actor *Actor) Sockets() []Socket {
	return actor.present(nil)
}

// SocketsOf is the connected sockets of a user, in the order in which they came.
func (actor *Actor) SocketsOf(userID string) []Socket {
	return actor.present(&userID)
}

// SocketsIn is the sockets that are in a channel, in the order in which they came.
func (actor *Actor) SocketsIn(channel string) []Socket {
	ids, err := socketsIn(channel)
	actor.instance.note(err)
	return actor.socketsOf(ids)
}

// SocketsPage is up to limit of the sockets that are in a channel, 1 to 1,000: those that came behind one, where that is given.
func (actor *Actor) SocketsPage(channel string, after *SocketID, limit int) ([]Socket, error) {
	ids, err := host.OfChannel(channel, after, whole32(int64(limit)))
	return actor.socketsOf(ids), told(err)
}

func (actor *Actor) present(userID *string) []Socket {
	ids, err := host.Present(userID)
	actor.instance.note(err)
	return actor.socketsOf(ids)
}

func (actor *Actor) socketsOf(ids []SocketID) []Socket {
	sockets := make([]Socket, len(ids))
	for i, id := range ids {
		sockets[i] = actor.Socket(id)
	}
	return sockets
}

// UserIDs is the users that are connected, each once, in ascending order.
func (actor *Actor) UserIDs() []string {
	ids, err := host.UserIDs()
	actor.instance.note(err)
	return ids
}

// RoomID is the room's id, as clients name it in `?room=`.
func (actor *Actor) RoomID() string {
	if actor.instance.roomID == nil {
		id, err := host.RoomID()
		if err != nil {
			actor.instance.note(err)
			return ""
		}
		actor.instance.roomID = &id
	}
	return *actor.instance.roomID
}

// Event is what this turn is about.
func (actor *Actor) Event() *Event {
	return actor.event
}

// Now is when the room accepted the event: the same at every call of a turn.
func (actor *Actor) Now() time.Time {
	return time.UnixMilli(int64(actor.event.event.AcceptedAt))
}

// Storage is the room's own keys and values.
func (actor *Actor) Storage() Storage {
	return Storage{}
}

// Timers is the room's timers.
func (actor *Actor) Timers() Timers {
	return Timers{}
}

// Alarm is the room's one alarm.
func (actor *Actor) Alarm() Alarm {
	return Alarm{actor.Now()}
}

// Log is the plugin's log.
func (actor *Actor) Log() Log {
	return Log{}
}

// Config is what the operator configured under a key, if anything.
func (actor *Actor) Config(key string) (value string, ok bool) {
	return Config(key)
}

// RandomID is a text of 32 characters that nobody can guess.
func (actor *Actor) RandomID() string {
	return RandomID()
}

// RandomBytes is bytes that nobody can predict.
func (actor *Actor) RandomBytes(count int) []byte {
	return RandomBytes(count)
}

// Room is where handlers are registered and removed.
func (actor *Actor) Room() *Room {
	return &Room{actor.instance}
}

// Config is what the operator configured for this plugin under a key, if anything. Secrets come this way as well. It
// answers everywhere, also in the function that [Register] is given and in that of [Room.Authorize].
func Config(key string) (value string, ok bool) {
	found := host.Config(key)
	if found == nil {
		return "", false
	}
	return *found, true
}

// RandomID is a text of 32 characters that nobody can guess.
func RandomID() string {
	return hex.EncodeToString(RandomBytes(16))
}

// RandomBytes is bytes that nobody can predict.
func RandomBytes(count int) []byte {
	const most = 4096
	found := make([]byte, 0, count)
	for len(found) < count {
		part, err := host.RandomBytes(uint32(min(count-len(found), most)))
		if err != nil {
			panic(told(err))
		}
		found = append(found, part...)
	}
	return found
}

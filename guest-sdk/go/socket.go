package parlor

import (
	"math"
	"strings"
	"time"

	"parlor/internal/host"
)

// Socket is a socket of the room, by its id.
type Socket struct {
	instance *instance
	id       SocketID
}

// ID is the socket's id.
func (socket Socket) ID() SocketID {
	return socket.id
}

// Meta is what is known of the socket. Fails with `no-such-socket` if it has left.
func (socket Socket) Meta() (*Meta, error) {
	meta, err := host.GetMeta(socket.id)
	if err != nil {
		return nil, told(err)
	}
	return metaOf(meta), nil
}

// Emit emits to this socket. Data that JSON cannot hold, such as NaN and the infinities, fails with the code `json`.
func (socket Socket) Emit(event string, data any) error {
	_, err := socket.EmitCount(event, data)
	return err
}

// EmitCount emits to this socket; 0 where it has left.
func (socket Socket) EmitCount(event string, data any) (int, error) {
	return say(data, func(data host.Payload) (uint32, error) { return host.ToSocket(socket.id, event, data) })
}

// Join puts the socket into a channel.
func (socket Socket) Join(channel string) error {
	if err := socket.instance.touch(channel); err != nil {
		return told(err)
	}
	socket.instance.metas.changed(socket.id)
	return told(host.Join(socket.id, channel))
}

// Leave takes the socket out of a channel.
func (socket Socket) Leave(channel string) error {
	if err := socket.instance.touch(channel); err != nil {
		return told(err)
	}
	socket.instance.metas.changed(socket.id)
	return told(host.Leave(socket.id, channel))
}

// SetFields replaces the plugin's own fields of the socket: what is a JSON object, up to 4 KiB.
func (socket Socket) SetFields(fields any) error {
	text, err := encode(fields)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(text, "{") {
		return Fail("invalid", "a socket's fields are a JSON object")
	}
	socket.instance.metas.changed(socket.id)
	return told(host.SetFields(socket.id, text))
}

// Close closes the socket once the turn has committed, with a code of 1000, 1008, 1011 to 1013 or 3000 to 4999.
func (socket Socket) Close(code int, reason string) error {
	if code < 0 || code > math.MaxUint16 {
		code = 0
	}
	if follower := socket.instance.follower; follower != nil {
		if err := follower.touchAll(); err != nil {
			return told(err)
		}
	}
	return told(host.Close(socket.id, uint16(code), reason))
}

// Ask asks this socket's client: sends it an event that it answers with an acknowledgement. [Room.OnAck] of the event's
// name gets the answer in a turn of its own, and none once the timeout has passed since the end of this turn. Asks survive
// the instance, but not a restart of the server.
func (socket Socket) Ask(event string, data any, timeout time.Duration) error {
	return socket.AskAs(event, event, data, timeout)
}

// AskAs asks as [Socket.Ask] does; the handlers of another name get the answer.
func (socket Socket) AskAs(name, event string, data any, timeout time.Duration) error {
	millis := uint32(min(max(wholeMillis(timeout), 0), math.MaxUint32))
	_, err := say(data, func(data host.Payload) (uint32, error) {
		return 0, host.Ask(socket.id, event, data, name, millis)
	})
	return err
}

// wholeMillis rounds up: nothing rings too early.
func wholeMillis(span time.Duration) int64 {
	return int64((span + time.Millisecond - 1) / time.Millisecond)
}

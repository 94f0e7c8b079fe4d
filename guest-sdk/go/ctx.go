package parlor

import (
	"time"

	"parlor/internal/host"
)

// Ctx is a turn that a socket caused: the socket, and with [Actor] the room. Its methods are about the socket; those of the
// room that it has none of its own for can be called on it as well: ctx.Storage(), ctx.ToUser(...).
type Ctx struct {
	*Actor
	answer *message
}

// ID is the socket's id.
func (ctx *Ctx) ID() SocketID {
	id, _ := ctx.Cause()
	return id
}

// Meta is what is known of the socket, with this turn's own changes.
func (ctx *Ctx) Meta() *Meta {
	meta, err := ctx.instance.metas.get(ctx.ID())
	if err != nil {
		ctx.instance.note(err)
		return &Meta{}
	}
	return meta
}

// Emit emits to this socket alone. ctx.Actor.Emit emits to all of the channel `default`. Data that JSON cannot hold, such as
// NaN and the infinities, fails with the code `json`.
func (ctx *Ctx) Emit(event string, data any) error {
	return ctx.own().Emit(event, data)
}

// EmitCount emits to this socket; 0 where it has left.
func (ctx *Ctx) EmitCount(event string, data any) (int, error) {
	return ctx.own().EmitCount(event, data)
}

// To is a channel that this socket is in, without the socket; or else all sockets of the user of that id.
func (ctx *Ctx) To(channelOrUser string) Target {
	return Target{func(event string, data host.Payload) (uint32, error) {
		return host.ToNamed(channelOrUser, event, data)
	}}
}

// Join puts the socket into a channel.
func (ctx *Ctx) Join(channel string) error {
	return ctx.own().Join(channel)
}

// Leave takes the socket out of a channel.
func (ctx *Ctx) Leave(channel string) error {
	return ctx.own().Leave(channel)
}

// SetFields replaces the plugin's own fields of the socket: what is a JSON object, up to 4 KiB.
func (ctx *Ctx) SetFields(fields any) error {
	return ctx.own().SetFields(fields)
}

// Close closes the socket once the turn has committed, with a code of 1000, 1008, 1011 to 1013 or 3000 to 4999.
func (ctx *Ctx) Close(code int, reason string) error {
	return ctx.own().Close(code, reason)
}

// Ask asks the socket's client; see [Socket.Ask].
func (ctx *Ctx) Ask(event string, data any, timeout time.Duration) error {
	return ctx.own().Ask(event, data, timeout)
}

// Answer is the acknowledgement for a client that waits for one. Of several answers to one event the first counts; a client
// that waits for none never sees it.
func (ctx *Ctx) Answer(value any) error {
	answer, err := messageOf(value)
	if err == nil && ctx.answer == nil {
		ctx.answer = answer
	}
	return err
}

func (ctx *Ctx) own() Socket {
	return ctx.Actor.Socket(ctx.ID())
}

package parlor

import "parlor/internal/host"

// Room is where handlers are registered. All functions that register return at once; the handlers run later, one event at
// a time, in the order of registration.
type Room struct {
	instance *instance
}

// On registers a handler of an event that clients send, by its name. `*` stands for all events of clients, and runs behind
// an event's own handlers. The data is read as JSON into the handler's type; where it does not fit, that handler does not
// run, the turn is undone, with what earlier handlers of the event did, and the client is told so with the code `bad-data`.
// Where the client sent no data, it is the type's zero value.
//
// Registered in a handler, it counts from the next event on. A name that the host does not take fails the turn.
func (room *Room) On[T any](event string, handle func(ctx *Ctx, data T) error) Handler {
	return room.add(events, event, func(ctx *Ctx) error {
		data, err := read[T](ctx.event.event.Payload)
		if err != nil {
			return err
		}
		return handle(ctx, data)
	})
}

// OnRequest registers a handler whose result is the answer for a client that waits for an acknowledgement. It leaves when
// the turn has committed, behind the turn's emits. See [Ctx.Answer] for handlers that may answer or not.
func (room *Room) OnRequest[T, R any](event string, handle func(ctx *Ctx, data T) (R, error)) Handler {
	return room.On(event, func(ctx *Ctx, data T) error {
		answer, err := handle(ctx, data)
		if err != nil {
			return err
		}
		return ctx.Answer(answer)
	})
}

// OnMessage registers the fallback: it runs for events that no other handler is for. [Event] tells the name.
func (room *Room) OnMessage[T any](handle func(ctx *Ctx, data T) error) Handler {
	return room.On(hookMessage, handle)
}

// OnConnect registers a handler that runs when a socket has become a member of the room.
func (room *Room) OnConnect(handle func(ctx *Ctx) error) Handler {
	return room.add(events, hookConnect, handle)
}

// Disconnect says how a socket was closed.
type Disconnect struct {
	Code   int    `json:"code"`
	Reason string `json:"reason"`
}

// OnDisconnect registers a handler that runs when a socket has left. It can still be asked for its meta; emits to it reach
// nobody.
func (room *Room) OnDisconnect(handle func(ctx *Ctx, how Disconnect) error) Handler {
	return room.add(events, hookDisconnect, func(ctx *Ctx) error {
		how, err := hookData[Disconnect](ctx)
		if err != nil {
			return err
		}
		return handle(ctx, how)
	})
}

type userNamed struct {
	UserID string `json:"userId"`
}

// OnUserJoin registers a handler that runs when the first socket of a user has come into the room, in a turn of its own.
func (room *Room) OnUserJoin(handle func(ctx *Ctx, userID string) error) Handler {
	return room.onUser(hookUserJoin, handle)
}

// OnUserLeave registers a handler that runs when the last socket of a user has left the room, in a turn of its own; the socket's meta
// can still be read. A socket that only lost its line has not left before it can come back no more.
func (room *Room) OnUserLeave(handle func(ctx *Ctx, userID string) error) Handler {
	return room.onUser(hookUserLeave, handle)
}

func (room *Room) onUser(hook string, handle func(ctx *Ctx, userID string) error) Handler {
	return room.add(events, hook, func(ctx *Ctx) error {
		user, err := hookData[userNamed](ctx)
		if err != nil {
			return err
		}
		return handle(ctx, user.UserID)
	})
}

// OnLost registers a handler that runs when the line of a socket broke that can come back: it is a member as ever, and what is
// emitted to it waits. Either [Room.OnBack] or [Room.OnDisconnect] follows.
func (room *Room) OnLost(handle func(ctx *Ctx) error) Handler {
	return room.add(events, hookLost, handle)
}

// OnBack registers a handler that runs when a socket is back whose line broke.
func (room *Room) OnBack(handle func(ctx *Ctx) error) Handler {
	return room.add(events, hookBack, handle)
}

// Failed says which turn failed, and why.
type Failed struct {
	Event   string `json:"event"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// OnError registers a handler that runs after a turn failed, in a turn of its own. Rejections are no failures.
func (room *Room) OnError(handle func(actor *Actor, failed Failed) error) Handler {
	return on(room, hookError, handle)
}

// Restore says why the room has a new instance that is given no state: `crash`, `restart` (of the server), `wake` or `swap`.
type Restore struct {
	Reason string `json:"reason"`
}

// OnRestore registers a handler that runs first in an instance that takes over a room whose memory is lost.
func (room *Room) OnRestore(handle func(actor *Actor, restore Restore) error) Handler {
	return on(room, hookRestore, handle)
}

// OnCheck registers a handler that runs after each step of `parlor simulate`, and never in a server: an error says that something
// does not hold which must hold between any two turns. It should look and change nothing.
func (room *Room) OnCheck(handle func(actor *Actor) error) Handler {
	return room.add(events, hookCheck, func(ctx *Ctx) error { return handle(ctx.Actor) })
}

// OnTimer registers a handler of the timers of a name. The data is what [Timers.Set] gave it.
func (room *Room) OnTimer[T any](name string, handle func(actor *Actor, data T) error) Handler {
	return room.add(timers, name, func(ctx *Ctx) error {
		data, err := hookData[T](ctx)
		if err != nil {
			return err
		}
		return handle(ctx.Actor, data)
	})
}

// Due says when an alarm was to ring, and which attempt this is, from 1, since the server started.
type Due struct {
	// At is in milliseconds since the Unix epoch.
	At      int64 `json:"due"`
	Attempt int   `json:"attempt"`
}

// OnAlarm registers a handler that runs when the room's alarm rings. If it fails, it runs again later.
func (room *Room) OnAlarm(handle func(actor *Actor, due Due) error) Handler {
	return on(room, hookAlarm, handle)
}

// Authorize registers who decides on connections: it answers who it is, nil to leave that to the host (a random user id
// and client id), or an error. [Refuse] makes one for the client; of any other the client learns nothing but the status
// 401, and the log has it. It runs in an instance that belongs to no room. The last one that was registered counts.
func (room *Room) Authorize(decide func(request *Request) (*Meta, error)) {
	room.instance.authorize = decide
}

// Off removes a handler; whether it was there. An event that is running keeps the handlers that it began with.
func (room *Room) Off(handler Handler) bool {
	removed, err := room.instance.remove(handler)
	room.instance.note(err)
	return removed
}

// OffAll removes all handlers of an event; whether there were any.
func (room *Room) OffAll(event string) bool {
	removed, err := room.instance.removeAll(event)
	room.instance.note(err)
	return removed
}

func (room *Room) add(table table, name string, call func(ctx *Ctx) error) Handler {
	handler, err := room.instance.add(table, name, call)
	room.instance.note(err)
	return handler
}

// on registers a handler of a hook that has no socket.
func on[T any](room *Room, hook string, handle func(actor *Actor, data T) error) Handler {
	return room.add(events, hook, func(ctx *Ctx) error {
		data, err := hookData[T](ctx)
		if err != nil {
			return err
		}
		return handle(ctx.Actor, data)
	})
}

// hookData reads what the host, or the plugin itself, gave a hook: what does not fit is no client's fault.
func hookData[T any](ctx *Ctx) (T, error) {
	data, err := read[T](ctx.event.event.Payload)
	if err != nil {
		err = &Error{Code: "bad-hook", Message: err.Error()}
	}
	return data, err
}

// Event is what the turn is about.
type Event struct {
	event host.Event
}

// Name is the event's name, that of a timer or ask, or a hook's.
func (event *Event) Name() string {
	return event.event.Name
}

// Channel is the channel that the client named in its frame; empty where it named none.
func (event *Event) Channel() string {
	if event.event.Channel == nil {
		return ""
	}
	return *event.event.Channel
}

// HasData is whether any data came, which may be `null`.
func (event *Event) HasData() bool {
	return event.event.Payload != nil
}

// Text is the data as it came: JSON; empty where none came, or bytes.
func (event *Event) Text() string {
	if event.event.Payload == nil || event.event.Payload.Binary {
		return ""
	}
	return event.event.Payload.Data
}

// Arguments is how many arguments the client gave.
func (event *Event) Arguments() int {
	return int(host.Arguments())
}

// WantsAnswer is whether the client waits for an acknowledgement.
func (event *Event) WantsAnswer() bool {
	return event.event.AnswerWanted
}

// A bare ping keeps a connection alive, and is no event for `*`.
func (event *Event) isKeepalive() bool {
	return event.event.Name == "ping" && event.event.Payload == nil && event.event.Channel == nil
}

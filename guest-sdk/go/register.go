package parlor

import (
	"runtime/debug"

	"parlor/internal/host"
)

// How much garbage there may be beside what lives, in percent. Rooms are many and small: with Go's own 100 each would keep
// up to 4 MiB of garbage.
const garbagePercent = 25

// How large the stack of a goroutine may become. Go names file and line of a recursion without an end; past the host's own
// bound, which is a little further, only the function's name is known.
const stackBytes = 256 << 10

// Register says what the plugin is: a name for display, the path at which clients connect (it begins with /), and a
// function that registers the handlers of a room. The function runs at the beginning of every instance; an error of it
// refuses the plugin. Call it once, in a function `init` of package main: main itself is never called.
func Register(name, path string, setup func(room *Room) error) {
	host.Served = &instance{name: name, path: path, setup: setup}
}

func (r *instance) Init() (definition host.Definition, err error) {
	debug.SetGCPercent(garbagePercent)
	debug.SetMaxStack(stackBytes)
	err = r.guarded(func() error { return r.setup(&Room{r}) })
	if err == nil {
		err = r.takeNoted()
	}
	if err == nil {
		err = r.start()
	}
	return host.Definition{Name: r.name, Path: r.path}, err
}

func (r *instance) Authorize(request host.Request) (*host.Meta, *host.Rejection) {
	if r.authorize == nil {
		return nil, nil
	}
	var meta *Meta
	err := r.guarded(func() (err error) {
		meta, err = r.authorize(&Request{
			URI: request.URI, Room: request.Room, Headers: request.Headers, Remote: request.Remote,
		})
		return err
	})
	if err != nil {
		return nil, rejectionOf(err)
	}
	if meta == nil {
		return nil, nil
	}
	contract, err := meta.contract()
	if err != nil {
		return nil, rejectionOf(err)
	}
	return &contract, nil
}

func (r *instance) Handle(event host.Event) (reply *host.Payload, failure *host.Failure) {
	if event.Socket == nil && !isSocketless(event.Cause) {
		return nil, failureOf(&Error{Code: "no-socket", Message: "the event " + event.Name + " came without a socket"})
	}
	beginTurn()
	ctx := &Ctx{Actor: &Actor{instance: r, event: &Event{event: event}}}
	err := r.guarded(func() error { return r.turn(ctx) })
	if event.Cause == hookDisconnect || event.Cause == hookUserLeave {
		r.metas.changed(ctx.ID())
	}
	r.metas.endTurn()
	noted := r.takeNoted()
	if err == nil {
		err = noted
	}
	if err == nil && ctx.answer != nil {
		reply, err = ctx.answer.enclose()
	}
	if r.follower != nil {
		r.follower.end(err != nil)
	}
	if err != nil {
		return nil, failureOf(err)
	}
	return reply, nil
}

// turn runs the handlers, and tells of what they changed.
func (r *instance) turn(ctx *Ctx) error {
	if r.follower == nil {
		return r.dispatch(ctx)
	}
	event := &ctx.event.event
	if err := r.follower.begin(event); err != nil {
		return told(err)
	}
	if err := r.dispatch(ctx); err != nil {
		return err
	}
	// A state that is left behind is no moment to say anything.
	if event.Cause == hookSuspend {
		return nil
	}
	return told(r.follower.tell())
}

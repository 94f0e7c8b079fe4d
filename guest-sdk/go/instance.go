package parlor

import (
	"fmt"

	"parlor/internal/host"
)

// instance is one instance of a plugin: its handlers, and what it remembers of the host's answers.
type instance struct {
	name  string
	path  string
	setup func(room *Room) error
	registry
	states    states
	authorize func(request *Request) (*Meta, error)
	metas     metas
	roomID    *string
	// follower is set by [Room.Presence].
	follower follower
	// noted is the first refusal of a call that returns no error: it fails the turn.
	noted error
}

func (r *instance) note(err error) {
	if r.noted == nil && err != nil {
		r.noted = errorOf(err)
	}
}

func (r *instance) takeNoted() error {
	noted := r.noted
	r.noted = nil
	return noted
}

// dispatch runs the handlers that an event is for: its own in the order of registration, then those for all events.
func (r *instance) dispatch(ctx *Ctx) error {
	event := &ctx.event.event
	own, behind := r.handlersOf(event.Cause, event.Name, ctx.event.isKeepalive())
	if len(own) == 0 && len(behind) == 0 {
		warnOfUnhandled(event)
	}
	for _, list := range [2][]entry{own, behind} {
		for _, entry := range list {
			if err := entry.call(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// warnOfUnhandled tells the author of a timer or an answer that nobody handles.
func warnOfUnhandled(event *host.Event) {
	switch event.Cause {
	case hookTimer:
		host.Write(host.Warn, fmt.Sprintf("nobody handles the timer %q: add `room.OnTimer`", event.Name))
	case hookAck:
		host.Write(host.Warn, fmt.Sprintf("nobody handles the answer to %q: add `room.OnAck`", event.Name))
	}
}

// touch tells who follows a channel that its sockets change.
func (r *instance) touch(channel string) error {
	if r.follower == nil {
		return nil
	}
	return r.follower.touch(host.Valid(channel))
}

package parlor

import (
	"maps"
	"slices"
	"strings"

	"parlor/internal/host"
)

// Handler is one registered handler, as [Room.On] returns it and [Room.Off] takes it.
type Handler struct {
	table  table
	name   string
	number int
}

// What a handler's name stands for.
type table int

const (
	events table = iota
	// A timer. The host has one hook for all timers, so the SDK itself finds the handlers of the timer that rings.
	timers
	// An ask, of which the same holds.
	acks
	tables
)

// Names that mean something to the host.
const (
	anyEvent       = "*"
	hookConnect    = "$connect"
	hookDisconnect = "$disconnect"
	hookUserJoin   = "$user-join"
	hookUserLeave  = "$user-leave"
	hookLost       = "$lost"
	hookBack       = "$back"
	hookMessage    = "$message"
	hookError      = "$error"
	hookRestore    = "$restore"
	hookTimer      = "$timer"
	hookAck        = "$ack"
	hookAlarm      = "$alarm"
	hookSuspend    = "$suspend"
	hookResume     = "$resume"
	hookCheck      = "$check"
)

func isSocketless(cause string) bool {
	switch cause {
	case hookRestore, hookError, hookTimer, hookAlarm, hookSuspend, hookResume, hookCheck:
		return true
	}
	return false
}

// of answers the table whose names share a hook.
func tableOf(hook string) table {
	switch hook {
	case hookTimer:
		return timers
	case hookAck:
		return acks
	}
	return events
}

// event is what the host must raise so that handlers of a name run.
func (t table) event(name string) string {
	switch t {
	case timers:
		return hookTimer
	case acks:
		return hookAck
	}
	return name
}

type entry struct {
	number int
	call   func(ctx *Ctx) error
}

// registry is the handlers, and what the host must be asked for so that they run. A running event holds the list that it
// began with: a list that is in the table is never changed.
type registry struct {
	lists      [tables]map[string][]entry
	registered int
	// started is whether the host knows the handlers. From then on each change goes to the host.
	started bool
}

// add adds a handler behind the others of its name. If the host refuses the name, it adds nothing.
func (r *registry) add(table table, name string, call func(ctx *Ctx) error) (Handler, error) {
	r.registered++
	name = host.Valid(name)
	handler := Handler{table: table, name: name, number: r.registered}
	event := table.event(name)
	if r.started && !r.wants(event) {
		if err := host.On(event); err != nil {
			return handler, err
		}
	}
	if r.lists[table] == nil {
		r.lists[table] = map[string][]entry{}
	}
	list := r.lists[table][name]
	r.lists[table][name] = append(slices.Clone(list), entry{handler.number, call})
	return handler, nil
}

// remove removes one handler. If it was the event's last, the host raises the event no longer.
func (r *registry) remove(handler Handler) (bool, error) {
	list := r.lists[handler.table][handler.name]
	at := slices.IndexFunc(list, func(entry entry) bool { return entry.number == handler.number })
	if at < 0 {
		return false, nil
	}
	if len(list) > 1 {
		r.lists[handler.table][handler.name] = slices.Delete(slices.Clone(list), at, at+1)
		return true, nil
	}
	delete(r.lists[handler.table], handler.name)
	return true, r.unlessWanted(handler.table.event(handler.name))
}

// removeAll removes all handlers of an event; for the hook of timers, those of all timers, and likewise for asks.
func (r *registry) removeAll(event string) (bool, error) {
	event = host.Valid(event)
	if !r.wants(event) {
		return false, nil
	}
	delete(r.lists[events], event)
	if table := tableOf(event); table != events {
		clear(r.lists[table])
	}
	return true, r.unlessWanted(event)
}

// start asks the host for all events that have handlers, each once.
func (r *registry) start() error {
	r.started = true
	names := slices.Collect(maps.Keys(r.lists[events]))
	for _, hook := range []string{hookTimer, hookAck} {
		if len(r.lists[tableOf(hook)]) > 0 {
			names = append(names, hook)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if err := host.On(name); err != nil {
			return &Error{Code: "invalid", Message: "cannot register `" + name + "`: " + err.Error()}
		}
	}
	return nil
}

// wants is whether any handler needs this event of the host.
func (r *registry) wants(event string) bool {
	table := tableOf(event)
	return len(r.lists[events][event]) > 0 || table != events && len(r.lists[table]) > 0
}

func (r *registry) unlessWanted(event string) error {
	if !r.started || r.wants(event) {
		return nil
	}
	return host.Off(event)
}

// handlersOf answers the handlers of a cause, and those behind them.
func (r *registry) handlersOf(cause, name string, isKeepalive bool) (own, behind []entry) {
	if table := tableOf(cause); table != events {
		return r.lists[table][name], r.lists[events][cause]
	}
	own = r.lists[events][cause]
	// `*` is for events of clients. Hooks and the bare keepalive are none, and of a client's event `*` they are its own.
	if strings.HasPrefix(cause, "$") || cause == anyEvent || isKeepalive {
		return own, nil
	}
	return own, r.lists[events][anyEvent]
}

package parlor

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"parlor/internal/host"
)

const (
	// The code of a state whose schema no handler takes.
	unknownSchema = "resume.schema"
	// The code of a state that its schema's handler cannot read.
	misfitState = "resume.shape"
	schemaBytes = 128
)

// states is the handlers of what one instance leaves for the next.
type states struct {
	bySchema map[string]func(actor *Actor, found Suspended) (misfit, failed error)
	any      func(actor *Actor, found Suspended) error
	// The handlers of the two hooks that stand for all of this.
	suspend *Handler
	resume  *Handler
}

// tagged is the form in which a state passes through the host.
type tagged struct {
	Schema string          `json:"schema"`
	State  json.RawMessage `json:"state"`
}

// Suspended is a state that no handler of [Room.OnResume] took.
type Suspended struct {
	// Schema is what [Room.OnSuspend] called it; empty where something else wrote it.
	Schema string
	// State is JSON.
	State json.RawMessage
}

// Read reads the state into a type; fails with the code `resume.shape` where it does not fit.
func (found Suspended) Read[T any]() (state T, err error) {
	if err = json.Unmarshal(found.State, &state); err != nil {
		err = Fail(misfitState, fmt.Sprintf("the state of the schema %q does not fit: %s", found.Schema, misfit(err)))
	}
	return state, err
}

// Suspend says why the instance ends: `sleep` or `swap`.
type Suspend struct {
	Reason string `json:"reason"`
}

// OnSuspend registers what the instance leaves for the next one, in JSON of up to 256 KiB, when the room falls asleep or
// moves to a new version. The schema says what its shape is: change it with the shape. The last one that was registered
// counts.
func (room *Room) OnSuspend[S any](schema string, save func(actor *Actor, suspend Suspend) (S, error)) {
	schema, fits := room.schema(schema)
	if !fits {
		return
	}
	handler := room.add(events, hookSuspend, func(ctx *Ctx) error {
		suspend, err := hookData[Suspend](ctx)
		if err != nil {
			return err
		}
		state, err := save(ctx.Actor, suspend)
		if err != nil {
			return err
		}
		text, err := encode(state)
		if err != nil {
			return err
		}
		whole, err := encode(tagged{schema, json.RawMessage(text)})
		ctx.answer = &message{payload: host.Payload{Data: whole}}
		return err
	})
	room.replace(&room.instance.states.suspend, handler)
}

// OnResume registers who takes a state of this schema: the first that a new instance runs, in the place of OnRestore.
func (room *Room) OnResume[S any](schema string, handle func(actor *Actor, state S) error) {
	schema, fits := room.schema(schema)
	if !fits {
		return
	}
	states := &room.instance.states
	if states.bySchema == nil {
		states.bySchema = map[string]func(*Actor, Suspended) (error, error){}
	}
	states.bySchema[schema] = func(actor *Actor, found Suspended) (misfit, failed error) {
		state, misfit := found.Read[S]()
		if misfit != nil {
			return misfit, nil
		}
		return nil, handle(actor, state)
	}
	room.hookResume()
}

// OnResumeAny registers who takes a state that no other handler does: of an unknown schema, or one that did not fit.
// Without one, such a state fails: a new version is then taken back, and a room that wakes is told to restore.
func (room *Room) OnResumeAny(handle func(actor *Actor, found Suspended) error) {
	room.instance.states.any = handle
	room.hookResume()
}

func (room *Room) hookResume() {
	handler := room.add(events, hookResume, func(ctx *Ctx) error {
		found, err := suspendedOf(ctx.event.event.Payload)
		if err != nil {
			return err
		}
		return ctx.instance.states.give(ctx.Actor, found)
	})
	room.replace(&room.instance.states.resume, handler)
}

// replace removes the handler that a new one stands for. In this order the host keeps raising the event.
func (room *Room) replace(place **Handler, handler Handler) {
	if *place != nil {
		room.Off(**place)
	}
	*place = &handler
}

// schema is a schema as it passes through the host, and whether that takes it.
func (room *Room) schema(schema string) (valid string, fits bool) {
	schema = host.Valid(schema)
	fits = len(schema) >= 1 && len(schema) <= schemaBytes
	if !fits {
		room.instance.note(Fail("invalid", fmt.Sprintf("a schema must be 1 to %d bytes, not %d", schemaBytes, len(schema))))
	}
	return schema, fits
}

func suspendedOf(payload *host.Payload) (Suspended, error) {
	text := "null"
	if payload != nil {
		if payload.Binary {
			return Suspended{}, Fail(unknownSchema, "the state is bytes, and this reads JSON")
		}
		text = payload.Data
	}
	if schema, state, ok := untagged(text); ok {
		return Suspended{Schema: schema, State: state}, nil
	}
	return Suspended{State: json.RawMessage(text)}, nil
}

// untagged takes apart what [Room.OnSuspend] wrote: an object of the two members, and no other. It reads them into a map,
// since a struct would take names in any case.
func untagged(text string) (schema string, state json.RawMessage, ok bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &members) != nil || len(members) != 2 {
		return "", nil, false
	}
	state, ok = members["state"]
	var named *string
	if !ok || members["schema"] == nil || json.Unmarshal(members["schema"], &named) != nil || named == nil {
		return "", nil, false
	}
	return *named, state, true
}

// give passes a state to the handler of its schema, or to the one for all others.
func (states *states) give(actor *Actor, found Suspended) error {
	var refused error
	if take := states.bySchema[found.Schema]; take != nil {
		misfit, failed := take(actor, found)
		if misfit == nil {
			return failed
		}
		refused = misfit
	} else {
		known := strings.Join(slices.Sorted(maps.Keys(states.bySchema)), ", ")
		refused = Fail(unknownSchema, fmt.Sprintf("no OnResume takes a state of the schema %q, only %s", found.Schema, known))
	}
	if states.any == nil {
		return refused
	}
	return states.any(actor, found)
}

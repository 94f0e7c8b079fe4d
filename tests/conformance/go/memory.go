package conformance

import (
	"fmt"

	"parlor"
)

type object = map[string]any

// memory is what the plugin keeps, and how that goes over to the next instance.
type memory struct {
	version int
	// value is what `remember` set, and what goes over.
	value any
	// handlers are those that `on` registered, by their tags.
	handlers map[string]parlor.Handler
	// errors is what `$error` told.
	errors []any
	// onSuspend is what `$suspend` does first.
	onSuspend any
	restored  any
	resumed   any
	// next is where `next` is, within the operations of one event.
	next int
}

// life is with what the instance began.
func (memory *memory) life() any {
	return object{
		"version": memory.version, "restored": memory.restored, "resumed": memory.resumed, "memory": memory.value,
	}
}

func (memory *memory) takeErrors() any {
	errors := memory.errors
	memory.errors = nil
	return append([]any{}, errors...)
}

// hooks registers those of an instance's beginning, its end and its failures.
func (memory *memory) hooks(room *parlor.Room) {
	room.OnError(func(actor *parlor.Actor, failed parlor.Failed) error {
		_, socket := actor.Cause()
		memory.errors = append(memory.errors, object{
			"event": failed.Event, "code": failed.Code, "message": failed.Message, "socket": socket,
		})
		return nil
	})
	room.OnRestore(func(_ *parlor.Actor, restore parlor.Restore) error {
		memory.restored = restore.Reason
		return nil
	})
	memory.suspendAs(room, fmt.Sprintf("state/%d", memory.version))
	for version := 1; version <= memory.version; version++ {
		schema := fmt.Sprintf("state/%d", version)
		room.OnResume(schema, func(_ *parlor.Actor, state any) error {
			memory.resumed = object{"schema": schema, "state": state}
			memory.value = state
			return nil
		})
	}
	if memory.version > 1 {
		return
	}
	room.OnResumeAny(func(_ *parlor.Actor, found parlor.Suspended) error {
		state, err := found.Read[any]()
		memory.resumed = object{"schema": found.Schema, "state": state}
		return err
	})
}

// suspendAs registers `$suspend` under a schema; the last one counts.
func (memory *memory) suspendAs(room *parlor.Room, schema string) {
	room.OnSuspend(schema, func(actor *parlor.Actor, suspend parlor.Suspend) (any, error) {
		scene := sceneOfRoom(actor, memory)
		scene.hook = object{"reason": suspend.Reason}
		_, err := scene.run(memory.onSuspend)
		return memory.value, err
	})
}

// What `tests/load/guest` does in Rust.
package main

import (
	"encoding/json"

	"parlor"
)

type note struct {
	N    uint64 `json:"n"`
	Text string `json:"text"`
}

type stamped struct {
	note
	At int64 `json:"at"`
}

func init() {
	parlor.Register("bench", "/bench", func(room *parlor.Room) error {
		room.On("echo", func(ctx *parlor.Ctx, it note) error { return ctx.Emit("echo", stamp(ctx, it)) })
		// The boundary alone, for the benchmark: the data goes back as it came.
		room.On("relay", func(ctx *parlor.Ctx, it json.RawMessage) error { return ctx.Emit("relay", it) })
		room.On("say", func(ctx *parlor.Ctx, it note) error { return ctx.Actor.Emit("say", stamp(ctx, it)) })
		room.On("recall", recall)
		return nil
	})
}

func recall(ctx *parlor.Ctx, it note) error {
	for _, key := range []string{"first", "second", "third"} {
		_, found, err := ctx.Storage().Get[string](key)
		if err == nil && !found {
			err = ctx.Storage().Put(key, it.Text)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Emit("recall", stamp(ctx, it))
}

func stamp(ctx *parlor.Ctx, it note) stamped {
	return stamped{it, ctx.Now().UnixMilli()}
}

// main is never called: a room lives from event to event.
func main() {}

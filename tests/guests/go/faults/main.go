// A plugin that breaks in each way that an author's may, and one that makes garbage.
package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"parlor"
)

type node struct {
	next *node
	name string
}

type picture struct {
	Name   string       `json:"name"`
	Pixels parlor.Bytes `json:"pixels"`
}

// kept is what the plugin has in memory.
var kept [][]byte

func init() {
	parlor.Register("go-faults", "/go-faults", func(room *parlor.Room) error {
		room.On("index", func(_ *parlor.Ctx, at int) error { return index([]string{"only"}, at) })
		room.On("nil", func(*parlor.Ctx, any) error {
			var first *node
			fmt.Println(first.next.name)
			return nil
		})
		room.On("panic", func(*parlor.Ctx, any) error { panic("the cat ate it") })
		room.On("library", func(*parlor.Ctx, any) error {
			fmt.Println(strings.Repeat("x", -1))
			return nil
		})
		room.On("recursion", func(ctx *parlor.Ctx, _ any) error { return ctx.Emit("depth", deeper(1)) })
		room.On("loop", func(*parlor.Ctx, any) error { return forever() })
		room.On("sleep", func(ctx *parlor.Ctx, ms int) error {
			time.Sleep(time.Duration(ms) * time.Millisecond)
			return ctx.Emit("slept", ms)
		})
		room.On("memory", func(*parlor.Ctx, any) error {
			for {
				kept = append(kept, make([]byte, 1<<20))
			}
		})
		room.On("goroutines", func(ctx *parlor.Ctx, count int) error { return ctx.Emit("sum", inParallel(count)) })
		room.On("deadlock", func(*parlor.Ctx, any) error {
			<-make(chan int)
			return nil
		})
		room.On("garbage", garbage)
		room.On("picture", func(ctx *parlor.Ctx, it picture) error {
			return ctx.Emit("picture", parlor.Args{it.Name, it.Pixels, len(it.Pixels), ctx.Event().Arguments()})
		})
		room.OnRequest("usage", func(*parlor.Ctx, any) (map[string]uint64, error) { return usage(), nil })
		texts(room)
		room.OnRestore(func(actor *parlor.Actor, restore parlor.Restore) error {
			return actor.Emit("restored", restore.Reason)
		})
		return nil
	})
}

func main() {}

func index(list []string, at int) error {
	fmt.Println(list[at])
	return nil
}

func deeper(depth int) int {
	return deeper(depth+1) + 1
}

//go:noinline
func forever() error {
	for count := 0; ; count++ {
		if count < 0 {
			return nil
		}
	}
}

// inParallel has goroutines add up numbers; it waits for all of them.
func inParallel(count int) (sum int) {
	results := make(chan int)
	for number := range count {
		go func() { results <- number }()
	}
	for range count {
		sum += <-results
	}
	return sum
}

type thing struct {
	Name  string           `json:"name"`
	Parts []map[string]any `json:"parts"`
}

// garbage reads and writes as rooms do: it leaves some kilobytes behind that nobody needs.
func garbage(ctx *parlor.Ctx, data thing) error {
	parts := make([]map[string]any, 0, len(data.Parts))
	for _, part := range data.Parts {
		copied := map[string]any{"from": ctx.Meta().UserID}
		for key, value := range part {
			copied[key] = value
		}
		parts = append(parts, copied)
	}
	last, _, err := ctx.Storage().Get[thing]("last")
	if err != nil {
		return err
	}
	if len(last.Name) > 1000 {
		return parlor.Fail("too-long", "nobody wrote that")
	}
	return ctx.Emit("garbage", thing{data.Name, parts})
}

func usage() map[string]uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return map[string]uint64{
		"collections": uint64(stats.NumGC), "system": stats.Sys, "live": stats.HeapAlloc, "total": stats.TotalAlloc,
	}
}

package main

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"parlor"
)

// half is a letter that was cut in two, as the end of text[:n] may be.
const half = "\xc3"

// texts registers what passes texts to the host that are not UTF-8, and what passes much at once.
func texts(room *parlor.Room) {
	room.Authorize(func(request *parlor.Request) (*parlor.Meta, error) {
		switch request.Query("as") {
		case "refused":
			return nil, parlor.Refuse(403, "no"+half)
		case "named":
			return &parlor.Meta{UserID: "u" + half, ClientID: "c" + half, Channels: []string{"a" + half}}, nil
		case "misfit":
			return &parlor.Meta{UserID: "u", Fields: json.RawMessage(`{"x":"` + half + `"}`)}, nil
		}
		return nil, nil
	})
	room.On("reject", func(*parlor.Ctx, any) error { return parlor.Reject("cut"+half, "too long: "+half) })
	room.On("fail", func(*parlor.Ctx, any) error { return parlor.Fail("cut"+half, "too long: "+half) })
	room.On("panic-cut", func(*parlor.Ctx, any) error { panic("too long: " + half) })
	room.On("event"+half, func(ctx *parlor.Ctx, _ any) error { return ctx.Emit("heard"+half, half) })
	room.On("calls", calls)
	room.On("ring", func(ctx *parlor.Ctx, _ any) error { return ctx.Timers().Set("t"+half, time.Second, half) })
	room.OnTimer("t"+half, func(actor *parlor.Actor, data string) error { return actor.Emit("rang", data) })
	room.OnRequest("codes", func(ctx *parlor.Ctx, _ any) (codes []string, _ error) {
		for _, data := range []any{json.RawMessage(`"` + half + `"`), math.NaN(), math.Inf(1)} {
			codes = append(codes, parlor.CodeOf(ctx.Emit("never", data)))
		}
		return append(codes, parlor.CodeOf(ctx.SetFields(json.RawMessage(`{"x":"`+half+`"}`)))), nil
	})
	room.OnRequest("users", func(ctx *parlor.Ctx, others int) (found usersOf, err error) {
		for _, id := range ctx.UserIDs() {
			found.Count, found.Bytes = found.Count+1, found.Bytes+len(id)
		}
		named := append(ctx.UserIDs(), slices.Repeat([]string{strings.Repeat("x", 128)}, others)...)
		found.Told, err = ctx.ToClients(named...).EmitCount("told", nil)
		return found, err
	})
}

type usersOf struct {
	Count int `json:"count"`
	Bytes int `json:"bytes"`
	Told  int `json:"told"`
}

// calls makes each call that takes a text with one that is cut; bytes stay as they are.
func calls(ctx *parlor.Ctx, _ any) error {
	room, storage, own := ctx.Room(), ctx.Storage(), []byte(half)
	handler := room.On("x"+half, func(*parlor.Ctx, any) error { return nil })
	_, configured := ctx.Config("k" + half)
	_, was := storage.Delete("none" + half)
	_, deleted := storage.DeleteMany("none" + half)
	_, got := storage.GetBytes("b" + half)
	_, many := storage.GetMany[string]("b"+half, "none")
	_, page := storage.Page("b"+half, "a"+half, 10)
	_, cancelled := ctx.Timers().Cancel("none" + half)
	ctx.Log().Infof("log%s", half)
	for _, err := range []error{
		was, deleted, got, many, page, cancelled,
		ctx.Join("ch" + half), ctx.Leave("ch" + half), ctx.Join("ch" + half), ctx.SetFields(map[string]string{"f": half}),
		ctx.Actor.To("ch"+half).Emit("to-channel"+half, half), ctx.Actor.To("ch"+half).Except("c"+half).Emit("e"+half, 1),
		ctx.To("nobody"+half).Emit("e"+half, 1), ctx.ToUser("u"+half).Emit("e"+half, 1), ctx.ToClients("c"+half).Emit("e"+half, 1),
		ctx.Emit("bytes"+half, parlor.Bytes(half)), ctx.Emit("beside", parlor.Args{parlor.Bytes(half), half}),
		ctx.Actor.Socket(ctx.ID()).AskAs("n"+half, "ask"+half, half, time.Second),
		storage.Put("v"+half, half), storage.PutBytes("b"+half, own), storage.PutMany(map[string]string{"m" + half: half}),
	} {
		if err != nil {
			return err
		}
	}
	if configured || !room.Off(handler) || room.OffAll("x"+half) {
		return parlor.Fail("calls", "nothing is configured, and the handler was there once")
	}
	return ctx.Emit("done", nil)
}

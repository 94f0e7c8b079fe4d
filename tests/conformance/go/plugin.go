// Package conformance is the reference plugin of the Go SDK: `tests/conformance/README.md` says what it does, this is how.
package conformance

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"parlor"
)

// Version is the function that registers the handlers of one of the two versions.
func Version(number int) func(room *parlor.Room) error {
	return func(room *parlor.Room) error {
		memory := &memory{version: number, handlers: map[string]parlor.Handler{}, onSuspend: []any{}}
		room.Authorize(authorize)
		handlers(room, memory)
		hooks(room, memory)
		memory.hooks(room)
		return channels(room)
	}
}

func handlers(room *parlor.Room, memory *memory) {
	room.On("do", func(ctx *parlor.Ctx, ops any) error {
		did, err := sceneOf(ctx, memory).run(ops)
		if err != nil {
			return err
		}
		return ctx.Emit("did", did)
	})
	room.On("sync", func(ctx *parlor.Ctx, data any) error { return ctx.Emit("synced", data) })
	room.OnRequest("question", func(_ *parlor.Ctx, data value) (any, error) { return data.it, nil })
	room.On("hang", func(*parlor.Ctx, any) error {
		for {
		}
	})
	room.OnMessage(func(ctx *parlor.Ctx, _ any) error {
		frame, err := frame(ctx)
		if err != nil {
			return err
		}
		return ctx.Emit("fallback", frame)
	})
}

func hooks(room *parlor.Room, memory *memory) {
	room.OnConnect(func(ctx *parlor.Ctx) error { return ownOperations(sceneOf(ctx, memory), "connect") })
	room.OnDisconnect(func(ctx *parlor.Ctx, how parlor.Disconnect) error {
		scene := sceneOf(ctx, memory)
		scene.hook = object{"code": how.Code, "reason": how.Reason}
		return ownOperations(scene, "disconnect")
	})
	room.OnAlarm(func(actor *parlor.Actor, due parlor.Due) error {
		ops, found, err := actor.Storage().Get[any]("on-alarm")
		if err != nil || !found {
			return err
		}
		scene := sceneOfRoom(actor, memory)
		scene.hook = object{"due": due.At, "attempt": due.Attempt}
		_, err = scene.run(ops)
		return err
	})
	for _, name := range []string{"a", "b", "c"} {
		room.OnTimer(name, func(actor *parlor.Actor, ops any) error {
			_, err := sceneOfRoom(actor, memory).run(ops)
			return err
		})
		room.OnAck(name, func(ctx *parlor.Ctx, ack parlor.Ack[value]) error {
			return ctx.Actor.Emit("answered", object{"name": name, "outcome": ack.Outcome, "data": ack.Data.it})
		})
	}
}

// channels is what the configuration asks the host to keep and to tell of channels.
func channels(room *parlor.Room) error {
	keeps, _ := parlor.Config("keep")
	for keep := range strings.SplitSeq(keeps, ",") {
		words := strings.Fields(keep)
		if len(words) == 0 {
			continue
		}
		entries, err := strconv.Atoi(words[1])
		if err != nil {
			return err
		}
		millis, err := strconv.Atoi(words[2])
		if err != nil {
			return err
		}
		how := parlor.Keeping{Entries: entries, For: time.Duration(millis) * time.Millisecond, Durable: len(words) > 3}
		room.KeepHistory(words[0], how)
	}
	if channel, ok := parlor.Config("presence"); ok {
		room.Presence(channel)
	}
	if _, ok := parlor.Config("lines"); ok {
		tell := func(event string) func(ctx *parlor.Ctx) error {
			return func(ctx *parlor.Ctx) error {
				return ctx.Actor.Emit(event, object{"client": ctx.Meta().ClientID})
			}
		}
		room.OnLost(tell("lost"))
		room.OnBack(tell("back"))
	}
	if _, ok := parlor.Config("users"); !ok {
		return nil
	}
	tell := func(event string) func(ctx *parlor.Ctx, user string) error {
		return func(ctx *parlor.Ctx, user string) error {
			return ctx.Actor.Emit(event, object{"userId": user, "client": ctx.Meta().ClientID})
		}
	}
	room.OnUserJoin(tell("user-join"))
	room.OnUserLeave(tell("user-leave"))
	return nil
}

// ownOperations runs what stands in a field of the socket's own.
func ownOperations(scene *scene, field string) error {
	fields, err := scene.ctx.Meta().ReadFields[object]()
	if err != nil {
		return err
	}
	ops, found := fields[field]
	if !found {
		return nil
	}
	_, err = scene.run(ops)
	return err
}

func authorize(request *parlor.Request) (*parlor.Meta, error) {
	meta := parlor.Meta{}
	switch how := request.Query("how"); how {
	case "":
		meta.UserID = request.Query("user")
	case "none":
		return nil, nil
	case "reject":
		status, err := strconv.Atoi(request.Query("status"))
		if err != nil {
			return nil, err
		}
		return nil, parlor.Refuse(status, request.Query("words"))
	case "fail":
		return nil, errors.New(request.Query("words"))
	case "header":
		meta.UserID = request.Header("X-User")
	case "config":
		meta.UserID, _ = parlor.Config("user")
	case "room":
		meta.UserID = request.Room
	default:
		return nil, parlor.Refuse(400, "how="+how+": the README names what there is")
	}
	meta.ClientID = request.Query("client")
	if channels, found := request.LookupQuery("in"); found {
		meta.Channels = strings.Split(channels, ",")
	}
	if fields, found := request.LookupQuery("fields"); found {
		var parsed any
		if err := json.Unmarshal([]byte(fields), &parsed); err != nil {
			return nil, err
		}
		return meta.WithFields(parsed)
	}
	return &meta, nil
}

package conformance

import (
	"time"

	"parlor"
)

// The data stands last, behind the event's name.
var emits = map[string]operation{
	"emit": func(args *args) (any, error) {
		return args.scene.ctx.EmitCount(args.text(0), args.any(1))
	},
	"emit-to": func(args *args) (any, error) {
		return args.scene.ctx.To(args.text(0)).EmitCount(args.text(1), args.any(2))
	},
	"emit-all": func(args *args) (any, error) {
		return args.scene.actor.To("default").EmitCount(args.text(0), args.any(1))
	},
	"emit-channel": func(args *args) (any, error) {
		return args.scene.actor.To(args.text(0)).EmitCount(args.text(1), args.any(2))
	},
	"emit-except": func(args *args) (any, error) {
		channel := args.scene.actor.To(args.text(0))
		return channel.Except(args.get[[]string](1)...).EmitCount(args.text(2), args.any(3))
	},
	"emit-some": func(args *args) (any, error) {
		part := args.scene.actor.ToSome(args.text(0))
		if args.any(1) != nil {
			part = part.Users(args.get[[]string](1)...)
		}
		if args.any(2) != nil {
			part = part.Clients(args.get[[]string](2)...)
		}
		return part.Except(args.get[[]string](3)...).EmitCount(args.text(4), args.any(5))
	},
	"emit-room": func(args *args) (any, error) {
		room := args.scene.actor.ToRoom(args.text(0))
		if args.any(1) != nil {
			room = room.Channel(args.text(1))
		}
		if args.any(2) != nil {
			room = room.Users(args.get[[]string](2)...)
		}
		if args.any(3) != nil {
			room = room.Clients(args.get[[]string](3)...)
		}
		return nothing(room.Emit(args.text(4), args.any(5)))
	},
	"emit-user": func(args *args) (any, error) {
		return args.scene.actor.ToUser(args.text(0)).EmitCount(args.text(1), args.any(2))
	},
	"emit-clients": func(args *args) (any, error) {
		return args.scene.actor.ToClients(args.get[[]string](0)...).EmitCount(args.text(1), args.any(2))
	},
	"emit-socket": func(args *args) (any, error) {
		return args.socket(0).EmitCount(args.text(1), args.any(2))
	},
	"emit-args": func(args *args) (any, error) {
		return args.scene.ctx.EmitCount(args.text(0), parlor.Args(args.get[[]any](1)))
	},
	"ask": func(args *args) (any, error) {
		return nothing(args.ask(args.scene.actor.Socket(args.scene.ctx.ID()), 0))
	},
	"ask-socket": func(args *args) (any, error) {
		return nothing(args.ask(args.socket(0), 1))
	},
	"bytes": func(args *args) (any, error) {
		return parlor.Bytes(args.numbers(0)), nil
	},
	"answer": func(args *args) (any, error) {
		return nothing(args.scene.ctx.Answer(args.any(0)))
	},
}

// socket is the one whose id this argument is.
func (args *args) socket(at int) parlor.Socket {
	return args.scene.actor.Socket(args.get[parlor.SocketID](at))
}

// ask asks a socket: the event's name, its data, the ask's name and the milliseconds begin at an argument.
func (args *args) ask(socket parlor.Socket, at int) error {
	return socket.AskAs(args.text(at+2), args.text(at), args.any(at+1), args.span(at+3))
}

func (args *args) span(at int) time.Duration {
	return time.Duration(args.get[int64](at)) * time.Millisecond
}

// numbers is a list of bytes that is written as numbers.
func (args *args) numbers(at int) []byte {
	bytes := []byte{}
	for _, number := range args.get[[]int](at) {
		bytes = append(bytes, byte(number))
	}
	return bytes
}

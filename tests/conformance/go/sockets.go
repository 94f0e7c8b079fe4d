package conformance

import "parlor"

var sockets = map[string]operation{
	"socket": func(args *args) (any, error) { return args.scene.ctx.ID(), nil },
	"count":  func(args *args) (any, error) { return args.scene.actor.SessionCount(), nil },
	"users":  func(args *args) (any, error) { return args.scene.actor.UserIDs(), nil },
	"room":   func(args *args) (any, error) { return args.scene.actor.RoomID(), nil },
	"meta": func(args *args) (any, error) {
		if !args.given(0) {
			return described(args.scene.ctx.Meta())
		}
		meta, err := args.socket(0).Meta()
		if err != nil {
			return nil, err
		}
		return described(meta)
	},
	"join": func(args *args) (any, error) {
		if args.given(1) {
			return nothing(args.socket(1).Join(args.text(0)))
		}
		return nothing(args.scene.ctx.Join(args.text(0)))
	},
	"leave": func(args *args) (any, error) {
		if args.given(1) {
			return nothing(args.socket(1).Leave(args.text(0)))
		}
		return nothing(args.scene.ctx.Leave(args.text(0)))
	},
	"set-fields": func(args *args) (any, error) {
		if args.given(1) {
			return nothing(args.socket(1).SetFields(args.any(0)))
		}
		return nothing(args.scene.ctx.SetFields(args.any(0)))
	},
	"close": func(args *args) (any, error) {
		if args.given(2) {
			return nothing(args.socket(2).Close(args.get[int](0), args.text(1)))
		}
		return nothing(args.scene.ctx.Close(args.get[int](0), args.text(1)))
	},
}

func described(meta *parlor.Meta) (any, error) {
	fields, err := meta.ReadFields[any]()
	return object{"user": meta.UserID, "client": meta.ClientID, "channels": meta.Channels, "fields": fields}, err
}

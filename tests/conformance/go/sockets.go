package conformance

import "parlor"

var sockets = map[string]operation{
	"socket": func(args *args) (any, error) { return args.scene.ctx.ID(), nil },
	"count":  func(args *args) (any, error) { return args.scene.actor.SessionCount(), nil },
	"users":  func(args *args) (any, error) { return args.scene.actor.UserIDs(), nil },
	"sockets": func(args *args) (any, error) {
		if args.given(0) {
			return idsOf(args.scene.actor.SocketsOf(args.text(0))), nil
		}
		return idsOf(args.scene.actor.Sockets()), nil
	},
	"sockets-in": func(args *args) (any, error) {
		if !args.given(2) {
			return idsOf(args.scene.actor.SocketsIn(args.text(0))), nil
		}
		sockets, err := args.scene.actor.SocketsPage(args.text(0), args.get[*parlor.SocketID](1), args.get[int](2))
		return idsOf(sockets), err
	},
	"history": func(args *args) (any, error) {
		limit := args.get[int](2)
		if limit == 0 {
			// Which the SDK takes for its default.
			limit = -1
		}
		page, err := args.scene.actor.History().Read(args.text(0), args.get[string](1), limit)
		entries := []any{}
		for _, said := range page.Entries {
			data, err := said.JSON[any]()
			if err != nil {
				return nil, err
			}
			entry := object{"position": said.Position, "event": said.Event, "data": data, "at": said.At.UnixMilli()}
			entries = append(entries, entry)
		}
		return object{"entries": entries, "recovered": page.Recovered}, err
	},
	"position": func(args *args) (any, error) { return args.scene.actor.History().Position(args.text(0)) },
	"room":     func(args *args) (any, error) { return args.scene.actor.RoomID(), nil },
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

func idsOf(sockets []parlor.Socket) []any {
	ids := []any{}
	for _, socket := range sockets {
		ids = append(ids, socket.ID())
	}
	return ids
}

func described(meta *parlor.Meta) (any, error) {
	fields, err := meta.ReadFields[any]()
	return object{"user": meta.UserID, "client": meta.ClientID, "channels": meta.Channels, "fields": fields}, err
}

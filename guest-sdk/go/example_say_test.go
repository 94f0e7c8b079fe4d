package parlor_test

import (
	"time"

	"parlor"
)

func ExampleCtx() {
	setUp(func(room *parlor.Room) {
		room.On("say", func(ctx *parlor.Ctx, it say) error {
			if err := ctx.To("default").Emit("said", it); err != nil {
				return err
			}
			count, err := ctx.EmitCount("delivered", ctx.Now())
			if err == nil && count == 0 {
				ctx.Log().Infof("socket %d has left", ctx.ID())
			}
			return err
		})
	})
}

func ExampleCtx_Join() {
	setUp(func(room *parlor.Room) {
		room.On("enter", func(ctx *parlor.Ctx, channel string) error {
			if ctx.Meta().In(channel) {
				return ctx.Leave(channel)
			}
			if err := ctx.Join(channel); err != nil {
				return err
			}
			return ctx.SetFields(map[string]string{"last": channel})
		})
	})
}

func ExampleCtx_Close() {
	setUp(func(room *parlor.Room) {
		room.On("bye", func(ctx *parlor.Ctx, _ any) error { return ctx.Close(4000, "as you wish") })
	})
}

func ExampleCtx_Answer() {
	setUp(func(room *parlor.Room) {
		room.On("move", func(ctx *parlor.Ctx, _ [2]int) error {
			if !ctx.Event().WantsAnswer() {
				return nil
			}
			return ctx.Answer("taken")
		})
	})
}

func ExampleCtx_Ask() {
	setUp(func(room *parlor.Room) {
		room.OnConnect(func(ctx *parlor.Ctx) error { return ctx.Ask("colour", nil, 10*time.Second) })
		room.OnAck("colour", func(ctx *parlor.Ctx, ack parlor.Ack[string]) error {
			switch ack.Outcome {
			case parlor.Answered:
				return ctx.Emit("yours", ack.Data)
			case parlor.TimedOut:
				return ctx.Emit("yours", "grey")
			case parlor.Gone:
				ctx.Log().Debugf("%v before it chose", ack.Outcome)
			}
			return nil
		})
	})
}

func ExampleSocket() {
	setUp(func(room *parlor.Room) {
		room.On("invite", func(ctx *parlor.Ctx, id parlor.SocketID) error {
			var guest parlor.Socket = ctx.Actor.Socket(id)
			meta, err := guest.Meta()
			if err != nil {
				return parlor.Reject("gone", "who you invite has left")
			}
			if meta.In("table") {
				return guest.Leave("table")
			}
			if err := guest.Join("table"); err != nil {
				return err
			}
			if err := guest.SetFields(map[string]bool{"guest": true}); err != nil {
				return err
			}
			if count, err := guest.EmitCount("invited", guest.ID()); err != nil || count == 0 {
				return guest.Close(4001, "you do not listen")
			}
			return guest.AskAs("seat-at-the-table", "sit", nil, time.Minute)
		})
		room.On("wake", func(ctx *parlor.Ctx, id parlor.SocketID) error {
			return ctx.Actor.Socket(id).Ask("awake?", nil, time.Second)
		})
	})
}

func ExampleActor() {
	setUp(func(room *parlor.Room) {
		room.OnTimer("news", func(actor *parlor.Actor, text string) error {
			if err := actor.Emit("news", text); err != nil {
				return err
			}
			var readers parlor.Channel = actor.To("readers")
			count, err := readers.EmitCount("news", text)
			if err != nil || count == 0 {
				return err
			}
			var others parlor.Target = readers.Except("tab-1", "tab-2")
			if _, err := others.EmitCount("more", actor.RoomID()); err != nil {
				return err
			}
			if err := actor.ToUser("ada").Emit("for-you", actor.RandomID()); err != nil {
				return err
			}
			return actor.ToClients("tab-1").Emit("for-this-tab", actor.RandomBytes(4))
		})
	})
}

func ExamplePart() {
	setUp(func(room *parlor.Room) {
		room.On("deal", func(ctx *parlor.Ctx, players []string) error {
			var part parlor.Part = ctx.ToSome("table").Users(players...)
			if err := part.Except(ctx.Meta().ClientID).Emit("cards", 5); err != nil {
				return err
			}
			count, err := ctx.ToSome("table").Clients("tab-1").Users("ada").Clients("tab-2").EmitCount("dealer", true)
			ctx.Log().Debugf("%d tabs of the dealer", count)
			return err
		})
	})
}

func ExampleOtherRoom() {
	setUp(func(room *parlor.Room) {
		room.On("invite", func(ctx *parlor.Ctx, friends []string) error {
			var lobby parlor.OtherRoom = ctx.ToRoom("lobby").Channel("default")
			if err := lobby.Users(friends...).Emit("invited", ctx.RoomID()); err != nil {
				return err
			}
			// The room of another plugin.
			return ctx.ToRoom("inbox/main").Clients("tab-1").Emit("mail", ctx.RoomID())
		})
	})
}

func ExampleActor_Sockets() {
	setUp(func(room *parlor.Room) {
		room.On("only-here", func(ctx *parlor.Ctx, _ any) error {
			for _, socket := range ctx.SocketsOf(ctx.Meta().UserID) {
				if socket.ID() != ctx.ID() {
					if err := socket.Close(4001, "you are elsewhere now"); err != nil {
						return err
					}
				}
			}
			return ctx.Emit("sockets", len(ctx.Sockets()))
		})
	})
}

func ExampleEvent() {
	setUp(func(room *parlor.Room) {
		room.On("*", func(ctx *parlor.Ctx, _ any) error {
			var event *parlor.Event = ctx.Event()
			if event.HasData() {
				ctx.Log().Infof("%s in %q: %s (%d arguments)", event.Name(), event.Channel(), event.Text(), event.Arguments())
			}
			return nil
		})
	})
}

func ExampleLog() {
	setUp(func(room *parlor.Room) {
		room.OnConnect(func(ctx *parlor.Ctx) error {
			var log parlor.Log = ctx.Log()
			log.Debugf("%s came", ctx.Meta().ClientID)
			log.Errorf("%s is not configured", "token")
			return nil
		})
	})
}

func ExampleBytes() {
	type picture struct {
		Name   string       `json:"name"`
		Pixels parlor.Bytes `json:"pixels"`
	}
	setUp(func(room *parlor.Room) {
		room.On("picture", func(ctx *parlor.Ctx, it picture) error { return ctx.Actor.Emit("picture", it) })
		room.On("raw", func(ctx *parlor.Ctx, bytes parlor.Bytes) error { return ctx.Emit("size", len(bytes)) })
	})
}

func ExampleArgs() {
	setUp(func(room *parlor.Room) {
		room.On("move", func(ctx *parlor.Ctx, to [2]int) error {
			return ctx.Emit("moved", parlor.Args{to[0], to[1], "fast"})
		})
	})
}

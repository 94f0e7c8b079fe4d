package parlor_test

import (
	"fmt"

	"parlor"
)

type say struct {
	Text string `json:"text"`
}

func ExampleRegister() {
	parlor.Register("chat", "/chat", func(room *parlor.Room) error {
		if _, ok := parlor.Config("token"); !ok {
			return fmt.Errorf("set `token` in the configuration")
		}
		room.On("say", func(ctx *parlor.Ctx, it say) error { return ctx.Actor.Emit("said", it) })
		return nil
	})
}

func ExampleRoom_On() {
	setUp(func(room *parlor.Room) {
		room.On("say", func(ctx *parlor.Ctx, it say) error {
			if it.Text == "" {
				return parlor.Reject("say.empty", "say something")
			}
			return ctx.Actor.Emit("said", it)
		})
		// Behind an event's own handlers, those for all events run.
		room.On("*", func(ctx *parlor.Ctx, _ any) error {
			ctx.Log().Debugf("%s from %s", ctx.Event().Name(), ctx.Meta().UserID)
			return nil
		})
	})
}

func ExampleRoom_OnRequest() {
	setUp(func(room *parlor.Room) {
		room.OnRequest("sum", func(_ *parlor.Ctx, numbers []int) (sum int, err error) {
			for _, number := range numbers {
				sum += number
			}
			return sum, nil
		})
	})
}

func ExampleRoom_OnMessage() {
	setUp(func(room *parlor.Room) {
		room.OnMessage(func(ctx *parlor.Ctx, _ any) error {
			return parlor.Reject("unknown", "there is no "+ctx.Event().Name())
		})
	})
}

func ExampleRoom_OnConnect() {
	setUp(func(room *parlor.Room) {
		room.OnConnect(func(ctx *parlor.Ctx) error { return ctx.Emit("welcome", ctx.UserIDs()) })
		room.OnDisconnect(func(ctx *parlor.Ctx, how parlor.Disconnect) error {
			ctx.Log().Infof("%s left with %d %s", ctx.Meta().UserID, how.Code, how.Reason)
			return ctx.Actor.Emit("left", ctx.SessionCount())
		})
	})
}

func ExampleRoom_OnError() {
	setUp(func(room *parlor.Room) {
		room.OnError(func(actor *parlor.Actor, failed parlor.Failed) error {
			socket, ok := actor.Cause()
			if !ok {
				return nil
			}
			return actor.Socket(socket).Emit("sorry", map[string]string{"event": failed.Event, "code": failed.Code})
		})
	})
}

func ExampleRoom_OnRestore() {
	setUp(func(room *parlor.Room) {
		board := map[string]int{}
		room.OnRestore(func(actor *parlor.Actor, restore parlor.Restore) error {
			actor.Log().Warnf("begun anew: %s", restore.Reason)
			for entry, err := range actor.Storage().List("board/") {
				if err != nil {
					return err
				}
				if board[entry.Key], err = entry.JSON[int](); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func ExampleRoom_OnCheck() {
	setUp(func(room *parlor.Room) {
		room.OnCheck(func(actor *parlor.Actor) error {
			held := 0
			for _, err := range actor.Storage().List("held/") {
				if err != nil {
					return err
				}
				held++
			}
			if held > 100 {
				return fmt.Errorf("%d seats are held, and there are 100", held)
			}
			return nil
		})
	})
}

func ExampleRoom_Authorize() {
	setUp(func(room *parlor.Room) {
		room.Authorize(func(request *parlor.Request) (*parlor.Meta, error) {
			token, ok := parlor.Config("token")
			if !ok || request.Header("authorization") != "Bearer "+token {
				return nil, parlor.Refuse(401, "who are you?")
			}
			meta := parlor.Meta{UserID: request.Query("userId"), Channels: []string{"default", "news"}}
			return meta.WithFields(map[string]string{"from": request.Remote})
		})
	})
}

func ExampleRequest() {
	setUp(func(room *parlor.Room) {
		room.Authorize(func(request *parlor.Request) (*parlor.Meta, error) {
			user, ok := request.LookupQuery("userId")
			if !ok {
				// The host gives a random user id.
				return nil, nil
			}
			login, found, err := request.Auth[struct{ Token string }]()
			if err != nil || found && login.Token == "" {
				return nil, &parlor.Rejection{Status: 403, Message: "not with this token"}
			}
			return &parlor.Meta{UserID: user, ClientID: parlor.RandomID()}, nil
		})
	})
}

func ExampleRoom_Presence() {
	setUp(func(room *parlor.Room) {
		room.Presence("default")
		room.OnUserJoin(func(ctx *parlor.Ctx, userID string) error {
			ctx.Log().Infof("%s is here, at %s", userID, ctx.Meta().ClientID)
			return nil
		})
		room.OnUserLeave(func(ctx *parlor.Ctx, userID string) error {
			_, err := ctx.Storage().Delete("typing/" + userID)
			return err
		})
		room.OnLost(func(ctx *parlor.Ctx) error { return ctx.SetFields(map[string]bool{"away": true}) })
		room.OnBack(func(ctx *parlor.Ctx) error { return ctx.SetFields(map[string]bool{"away": false}) })
	})
}

func ExampleActor_SocketsIn() {
	setUp(func(room *parlor.Room) {
		room.On("move", func(ctx *parlor.Ctx, to string) error {
			for _, socket := range ctx.SocketsIn("lobby") {
				if err := socket.Join(to); err != nil {
					return err
				}
			}
			ten, err := ctx.SocketsPage("lobby", nil, 10)
			if err != nil || len(ten) == 0 {
				return err
			}
			last := ten[len(ten)-1].ID()
			_, err = ctx.SocketsPage("lobby", &last, 10)
			return err
		})
	})
}

func ExampleRoom_Off() {
	setUp(func(room *parlor.Room) {
		var once parlor.Handler
		once = room.On("vote", func(ctx *parlor.Ctx, _ any) error {
			ctx.Room().Off(once)
			return ctx.Actor.Emit("voted", nil)
		})
		room.On("close", func(ctx *parlor.Ctx, _ any) error {
			if !ctx.Room().OffAll("vote") {
				return parlor.Fail("closed", "nobody can vote any more")
			}
			return nil
		})
	})
}

func ExampleError() {
	refused := fmt.Errorf("the move: %w", parlor.Reject("chess.check", "your king is in check"))
	fmt.Println(parlor.CodeOf(refused), parlor.CodeOf(fmt.Errorf("lost")))
	err := &parlor.Error{Code: "inventory.gone", Message: "no such item"}
	fmt.Println(err)
	// Output:
	// chess.check error
	// no such item
}

func setUp(func(room *parlor.Room)) {}

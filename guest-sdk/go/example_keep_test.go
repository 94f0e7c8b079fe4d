package parlor_test

import (
	"time"

	"parlor"
)

func ExampleStorage() {
	type score struct {
		Points int `json:"points"`
	}
	setUp(func(room *parlor.Room) {
		room.On("point", func(ctx *parlor.Ctx, _ any) error {
			var storage parlor.Storage = ctx.Storage()
			key := "score/" + ctx.Meta().UserID
			mine, found, err := storage.Get[score](key)
			if err != nil {
				return err
			}
			if !found {
				ctx.Log().Infof("the first point of %s", key)
			}
			mine.Points++
			return storage.Put(key, mine)
		})
		room.On("forget", func(ctx *parlor.Ctx, users []string) error {
			was, err := ctx.Storage().Delete("score/" + ctx.Meta().UserID)
			if err != nil || was {
				return err
			}
			_, err = ctx.Storage().DeleteMany(users...)
			return err
		})
	})
}

func ExampleStorage_GetMany() {
	setUp(func(room *parlor.Room) {
		room.On("swap", func(ctx *parlor.Ctx, keys [2]string) error {
			values, err := ctx.Storage().GetMany[any](keys[:]...)
			if err != nil {
				return err
			}
			return ctx.Storage().PutMany(map[string]any{keys[0]: values[keys[1]], keys[1]: values[keys[0]]})
		})
	})
}

func ExampleStorage_List() {
	setUp(func(room *parlor.Room) {
		room.OnRequest("scores", func(ctx *parlor.Ctx, _ any) (map[string]int, error) {
			scores := map[string]int{}
			for entry, err := range ctx.Storage().List("score/") {
				if err != nil {
					return nil, err
				}
				if scores[entry.Key], err = entry.JSON[int](); err != nil {
					return nil, err
				}
			}
			return scores, nil
		})
	})
}

func ExampleStorage_Page() {
	setUp(func(room *parlor.Room) {
		room.OnRequest("older", func(ctx *parlor.Ctx, after string) (keys []string, err error) {
			var page parlor.Page
			if page, err = ctx.Storage().Page("note/", after, 20); err != nil {
				return nil, err
			}
			for _, entry := range page.Entries {
				var entry parlor.Entry = entry
				keys = append(keys, entry.Key)
			}
			return keys, nil
		})
	})
}

func ExampleStorage_PutBytes() {
	setUp(func(room *parlor.Room) {
		room.On("picture", func(ctx *parlor.Ctx, pixels parlor.Bytes) error {
			old, err := ctx.Storage().GetBytes("picture")
			if err != nil || len(old) > len(pixels) {
				return err
			}
			return ctx.Storage().PutBytes("picture", pixels)
		})
	})
}

func ExampleTimers() {
	setUp(func(room *parlor.Room) {
		room.On("start", func(ctx *parlor.Ctx, seconds int) error {
			var timers parlor.Timers = ctx.Timers()
			return timers.Set("count", time.Second, seconds)
		})
		room.OnTimer("count", func(actor *parlor.Actor, left int) error {
			if left == 0 {
				return actor.Emit("go", nil)
			}
			return actor.Timers().Set("count", time.Second, left-1)
		})
		room.On("stop", func(ctx *parlor.Ctx, _ any) error {
			was, err := ctx.Timers().Cancel("count")
			if err == nil && !was {
				err = parlor.Reject("not-running", "there is nothing to stop")
			}
			return err
		})
	})
}

func ExampleAlarm() {
	setUp(func(room *parlor.Room) {
		room.On("remind", func(ctx *parlor.Ctx, at time.Time) error {
			var alarm parlor.Alarm = ctx.Actor.Alarm()
			due, set, err := alarm.Get()
			if err != nil || set && due.Before(at) {
				return err
			}
			return alarm.SetAt(at)
		})
		room.On("never-mind", func(ctx *parlor.Ctx, _ any) error { return ctx.Actor.Alarm().Cancel() })
		room.OnAlarm(func(actor *parlor.Actor, due parlor.Due) error {
			if due.Attempt > 3 {
				return actor.Alarm().SetIn(time.Hour)
			}
			return actor.Emit("reminder", due.At)
		})
	})
}

func ExampleRoom_OnSuspend() {
	type board struct {
		Cells []int `json:"cells"`
	}
	setUp(func(room *parlor.Room) {
		var game board
		room.OnSuspend("board/1", func(actor *parlor.Actor, suspend parlor.Suspend) (board, error) {
			actor.Log().Debugf("put away for a %s", suspend.Reason)
			return game, nil
		})
		room.OnResume("board/1", func(_ *parlor.Actor, state board) error {
			game = state
			return nil
		})
		room.OnResumeAny(func(actor *parlor.Actor, found parlor.Suspended) error {
			cells, err := found.Read[[]int]()
			game = board{cells}
			return err
		})
	})
}

func ExampleMeta() {
	type profile struct {
		Name string `json:"name"`
	}
	setUp(func(room *parlor.Room) {
		room.OnConnect(func(ctx *parlor.Ctx) error {
			about, err := ctx.Meta().ReadFields[profile]()
			if err != nil {
				return err
			}
			return ctx.Emit("welcome", about.Name)
		})
	})
}

func ExampleRandomBytes() {
	setUp(func(room *parlor.Room) {
		room.OnRequest("roll", func(*parlor.Ctx, any) (int, error) { return int(parlor.RandomBytes(1)[0])%6 + 1, nil })
	})
}

func ExampleOutcome() {
	setUp(func(room *parlor.Room) {
		room.OnAck("ready", func(ctx *parlor.Ctx, ack parlor.Ack[any]) error {
			var outcome parlor.Outcome = ack.Outcome
			return ctx.Actor.Emit("ready", outcome)
		})
		if token, ok := parlor.Config("token"); ok && token != "" {
			room.OnConnect(func(ctx *parlor.Ctx) error {
				secret, _ := ctx.Config("token")
				return ctx.Emit("length", len(secret))
			})
		}
	})
}

func ExampleRoom_KeepHistory() {
	setUp(func(room *parlor.Room) {
		room.KeepHistory("news", parlor.Keeping{Entries: 50, For: 10 * time.Minute, Durable: true})
		room.On("since", func(ctx *parlor.Ctx, position string) error {
			var history parlor.History = ctx.History()
			var page parlor.HistoryPage
			page, err := history.Read("news", position, 100)
			if err != nil {
				return err
			}
			if !page.Recovered {
				ctx.Log().Infof("%s was away for too long", ctx.Meta().UserID)
			}
			texts := []string{}
			for _, said := range page.Entries {
				var one parlor.Said = said
				text, err := one.JSON[string]()
				if err != nil {
					return err
				}
				texts = append(texts, one.At.Format(time.RFC3339)+" "+one.Event+" "+text)
				position = one.Position
			}
			if len(texts) == 0 {
				if position, err = history.Position("news"); err != nil {
					return err
				}
			}
			return ctx.Emit("news", map[string]any{"texts": texts, "position": position})
		})
	})
}

// An arena: everybody steers a ball over one field and gathers coins. The room counts 20 ticks a second for as long as
// somebody is in it.
package main

import (
	"slices"
	"time"

	"parlor"
)

const (
	// How often the field moves on.
	period = 50 * time.Millisecond
	// The timer that a tick is.
	tick = "tick"
	// Where a user's best score is stored.
	bestKey = "best/"
)

type steer struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

type welcome struct {
	UserID string  `json:"userId"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
	Best   int     `json:"best"`
	moment
}

// arena is one room's, in memory: it goes over to the next instance where the room is swapped, and begins anew in a crash.
type arena struct {
	field field
	// due is when the tick that is set should run.
	due time.Time
}

func init() {
	parlor.Register("arena", "/arena", func(room *parlor.Room) error {
		arena := &arena{field: newField()}
		room.Authorize(who)
		room.OnConnect(arena.enter)
		room.OnDisconnect(arena.leave)
		room.On("arena.steer", arena.steer)
		room.OnTimer(tick, arena.tick)
		room.OnSuspend("field/1", func(*parlor.Actor, parlor.Suspend) (field, error) { return arena.field, nil })
		room.OnResume("field/1", func(_ *parlor.Actor, field field) error {
			arena.field = field
			return nil
		})
		room.OnRestore(arena.restore)
		return nil
	})
}

// main is never called: a room lives from event to event.
func main() {}

func who(request *parlor.Request) (*parlor.Meta, error) {
	user := request.Query("userId")
	if user == "" || len(user) > 60 {
		return nil, parlor.Refuse(401, "say who you are: ?userId=NAME")
	}
	return &parlor.Meta{UserID: user}, nil
}

func (arena *arena) enter(ctx *parlor.Ctx) error {
	user := ctx.Meta().UserID
	best, _, err := ctx.Storage().Get[int](bestKey + user)
	if err != nil {
		return err
	}
	arena.field.fill(ctx.Actor)
	arena.field.add(ctx.Actor, user)
	hello := welcome{user, width, height, best, arena.field.moment()}
	if err := ctx.Emit("arena.welcome", hello); err != nil {
		return err
	}
	if ctx.SessionCount() > 1 {
		return nil
	}
	arena.due = ctx.Now()
	return arena.again(ctx.Actor)
}

// leave takes a user off the field with the last socket, and keeps the score if it is the best so far.
func (arena *arena) leave(ctx *parlor.Ctx, _ parlor.Disconnect) error {
	user := ctx.Meta().UserID
	if slices.Contains(ctx.UserIDs(), user) {
		return nil
	}
	score := arena.field.remove(user)
	if len(arena.field.Players) == 0 {
		if _, err := ctx.Timers().Cancel(tick); err != nil {
			return err
		}
	}
	best, _, err := ctx.Storage().Get[int](bestKey + user)
	if err != nil || score <= best {
		return err
	}
	return ctx.Storage().Put(bestKey+user, score)
}

// steer only says where a ball wants to go: it moves with the next tick.
func (arena *arena) steer(ctx *parlor.Ctx, to steer) error {
	player := arena.field.Players[ctx.Meta().UserID]
	if player == nil {
		return parlor.Reject("arena.not-there", "you are not on the field")
	}
	player.steer(to.X, to.Y)
	return nil
}

func (arena *arena) tick(actor *parlor.Actor, _ any) error {
	if arena.field.move(actor) {
		if err := actor.Emit("arena.tick", arena.field.moment()); err != nil {
			return err
		}
	}
	return arena.again(actor)
}

// again sets the next tick: when it is due, and not a period after this one, which may have come late.
func (arena *arena) again(actor *parlor.Actor) error {
	arena.due = arena.due.Add(period)
	if late := actor.Now().Sub(arena.due); late > period {
		// The server had better things to do: what was missed stays missed.
		arena.due = actor.Now()
	}
	return actor.Timers().Set(tick, max(arena.due.Sub(actor.Now()), 0), nil)
}

// restore puts those who are there onto a new field. Their timer has survived.
func (arena *arena) restore(actor *parlor.Actor, _ parlor.Restore) error {
	arena.field.fill(actor)
	for _, user := range actor.UserIDs() {
		arena.field.add(actor, user)
	}
	arena.due = actor.Now()
	return nil
}

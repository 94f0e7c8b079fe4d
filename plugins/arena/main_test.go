// What a user of the arena can rely on.
package main

import (
	"encoding/json"
	"testing"
	"time"

	"parlor/parlortest"
)

type m = parlortest.M

// enter lets a user in, and tells where the ball is.
func enter(t *testing.T, room *parlortest.Room, user string) (*parlortest.Socket, moment) {
	t.Helper()
	socket := room.Connect(user, "/arena?userId="+user, nil)
	events := socket.Events()
	if len(events) != 1 || events[0]["type"] != "arena.welcome" {
		t.Fatalf("%s was welcomed with %v", user, events)
	}
	return socket, momentOf(t, events[0])
}

func momentOf(t *testing.T, event m) (now moment) {
	t.Helper()
	text, err := json.Marshal(event)
	if err == nil {
		err = json.Unmarshal(text, &now)
	}
	if err != nil {
		t.Fatal(err)
	}
	return now
}

func TestAUserIDIsNeeded(t *testing.T) {
	room := parlortest.New(t)
	room.Refused("/arena", 401, "say who you are: ?userId=NAME")
}

func TestABallMovesTwentyTimesASecond(t *testing.T) {
	room := parlortest.New(t)
	ada, before := enter(t, room, "ada")
	bob, _ := enter(t, room, "bob")
	ada.Send("arena.steer", m{"x": 0, "y": 5})
	room.Advance(time.Second)
	ticks := bob.Events()
	if len(ticks) != 20 {
		t.Fatalf("%d ticks in a second", len(ticks))
	}
	after := momentOf(t, ticks[19])
	was, is := before.Players[0], after.Players[0]
	if is.ID != "ada" || is.X != was.X || is.Y != min(was.Y+20*stride, height-radius) {
		t.Errorf("ada went from %v to %v", was, is)
	}
	ada.Send("arena.steer", m{"x": 0, "y": 0})
	bob.Events()
	room.Advance(time.Second)
	bob.Expect()
}

func TestCoinsAreGatheredAndTheBestScoreIsKept(t *testing.T) {
	room := parlortest.New(t, parlortest.Seed(3))
	ada, now := enter(t, room, "ada")
	for score := 0; score == 0; {
		player, coin := now.Players[0], now.Coins[0]
		ada.Send("arena.steer", m{"x": coin[0] - player.X, "y": coin[1] - player.Y})
		room.Advance(period)
		for _, event := range ada.Events() {
			now = momentOf(t, event)
		}
		score = now.Players[0].Score
	}
	ada.Leave()
	if best := room.Stored()["best/ada"]; best != 1.0 {
		t.Errorf("the best score is %v", best)
	}
	again := room.Connect("ada", "/arena?userId=ada", nil)
	again.Expect(m{
		"type": "arena.welcome", "userId": "ada", "width": width, "height": height, "best": 1,
		"players": []m{{"id": "ada", "x": parlortest.Any, "y": parlortest.Any, "score": 0}}, "coins": parlortest.Any,
	})
}

func TestNothingTicksWhereNobodyIs(t *testing.T) {
	room := parlortest.New(t)
	ada, _ := enter(t, room, "ada")
	ada.Send("arena.steer", m{"x": 1, "y": 0})
	ada.Leave()
	room.Advance(time.Minute)
	if failures := room.Failures(); len(failures) > 0 {
		t.Errorf("failed: %v", failures)
	}
}

func TestAfterACrashTheGameGoesOnOnANewField(t *testing.T) {
	room := parlortest.New(t)
	ada, _ := enter(t, room, "ada")
	room.Crash()
	ada.Send("arena.steer", m{"x": 1, "y": 0})
	room.Advance(4 * period)
	if ticks := ada.Events(); len(ticks) < 3 {
		t.Errorf("%d ticks", len(ticks))
	}
}

func TestWhoSteersGarbageIsTold(t *testing.T) {
	room := parlortest.New(t)
	ada, _ := enter(t, room, "ada")
	ack := ada.Request("arena.steer", m{"x": "left"})
	if ack.Code != "bad-data" {
		t.Errorf("got %v", ack)
	}
}

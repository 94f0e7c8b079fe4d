package parlortest_test

import (
	"testing"
	"time"

	"parlor/parlortest"
)

func Example() {
	// In a file of the plugin's folder whose name ends in _test.go.
	_ = func(t *testing.T) {
		room := parlortest.New(t, parlortest.Config("motd", "be brief"), parlortest.RoomID("lobby"), parlortest.Seed(7))
		ada, bob := room.ConnectAs("ada"), room.ConnectAs("bob")
		ada.Send("say", parlortest.M{"text": "hello"})
		bob.Expect(parlortest.M{"type": "said", "from": "ada", "text": "hello", "at": parlortest.Any})
		ada.Leave()
		if left := bob.Events(); len(left) != 1 {
			t.Errorf("%d events", len(left))
		}
	}
}

func ExampleRoom_Connect() {
	_ = func(t *testing.T) {
		room := parlortest.New(t, parlortest.Start(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)))
		room.Refused("/chat?token=wrong", 401, "who are you?")
		ada := room.Connect("ada", "/chat?token=right", map[string]string{"accept-language": "de"})
		var ack parlortest.Ack = ada.Request("sum", []int{1, 2})
		if ack.Data != 3.0 || ack.Code != "" {
			t.Errorf("%s: %s", ack.Code, ack.Message)
		}
		ada.Send("kick", nil)
		if closed := ada.Closed(); closed == nil || *closed != (parlortest.Closed{Code: 4000, Reason: "as you wish"}) {
			t.Errorf("closed: %v", closed)
		}
	}
}

func ExampleSocket_LoseLine() {
	_ = func(t *testing.T) {
		room := parlortest.New(t)
		ada, bob := room.Connect("ada", "/chat?resume", nil), room.ConnectAs("bob")
		ada.LoseLine()
		bob.Send("say", parlortest.M{"text": "hello"})
		ada.ComeBack()
		ada.Expect(parlortest.M{"type": "said", "from": "bob", "text": "hello"})
	}
}

func ExampleRoom_Advance() {
	_ = func(t *testing.T) {
		room := parlortest.New(t)
		var ada *parlortest.Socket = room.ConnectAs("ada")
		ada.Send("start", 3)
		room.Advance(3 * time.Second)
		ada.Expect(parlortest.M{"type": "go", "data": nil})
		ada.Answer("ready")
		if frames := ada.Frames(); len(frames) != 0 {
			t.Errorf("frames: %v", frames)
		}
	}
}

func ExampleRoom_Crash() {
	_ = func(t *testing.T) {
		var room *parlortest.Room = parlortest.New(t, parlortest.File("dist/chat.wasm"))
		room.ConnectAs("ada")
		room.Sleep()
		room.Crash()
		room.Check()
		room.Swap("dist/chat-2.wasm")
		room.Restart()
		if stored := room.Stored(); len(stored) != 0 {
			t.Errorf("stored: %v", stored)
		}
		for _, failure := range room.Failures() {
			t.Errorf("failed: %s", failure.String())
		}
		t.Log(room.Log())
	}
}

func ExampleRoom_Step() {
	_ = func(t *testing.T) {
		var options []parlortest.Option
		room := parlortest.New(t, options...)
		var about struct{ Sockets int }
		room.Step("room", nil, &about)
		var failures []parlortest.Failure = room.Failures()
		if about.Sockets != 0 || len(failures) > 0 {
			t.Errorf("%d sockets, %v", about.Sockets, failures)
		}
	}
}

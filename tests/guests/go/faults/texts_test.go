package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parlor/parlortest"
)

// A place in what the host was told where something was that is no UTF-8.
const gap = "\uFFFD"

// goesOn is that the instance is the one that it was: no restoring was heard of.
func goesOn(t *testing.T, ada *parlortest.Socket) {
	t.Helper()
	ada.Send("goroutines", 100)
	ada.Expect(parlortest.M{"type": "sum", "data": 4950})
}

func TestFailuresWhoseWordsAreCutAreTold(t *testing.T) {
	room := parlortest.New(t)
	ada := room.ConnectAs("ada")
	ada.Send("reject", nil)
	ada.Expect(parlortest.M{"type": "error", "code": "cut" + gap, "message": "too long: " + gap})
	goesOn(t, ada)
	ada.Send("fail", nil)
	ada.Send("panic-cut", nil)
	failures := room.Failures()
	if len(failures) != 2 || failures[0].String() != "fail: cut"+gap+": too long: "+gap ||
		failures[1].Code != "panic" || !strings.HasPrefix(failures[1].Message, "too long: "+gap+" (texts.go:") {
		t.Errorf("%q", failures)
	}
	goesOn(t, ada)
}

func TestNoCallEndsTheInstanceByATextThatIsCut(t *testing.T) {
	room := parlortest.New(t)
	ada := room.ConnectAs("ada")
	ada.Send("calls", nil)
	if failures := room.Failures(); len(failures) > 0 {
		t.Error(failures)
	}
	if heard := fmt.Sprint(ada.Events()); !strings.Contains(heard, "to-channel"+gap) || !strings.Contains(heard, "done") {
		t.Error(heard)
	}
	if log := room.Log(); !slices.Contains(log, "info: log"+gap) {
		t.Errorf("%q", log)
	}
	stored := room.Stored()
	bytes := fmt.Sprint(stored["b"+gap])
	if len(stored) != 3 || stored["v"+gap] != gap || stored["m"+gap] != gap || bytes != "map[$bytes:[195]]" {
		t.Errorf("%v", stored)
	}
	ada.Send("event"+gap, nil)
	ada.Send("ring", nil)
	room.Advance(time.Second)
	ada.Expect(parlortest.M{"type": "heard" + gap, "data": gap}, parlortest.M{"type": "rang", "data": gap})
	goesOn(t, ada)
}

func TestWhatIsNoJSONFailsWithItsCode(t *testing.T) {
	room := parlortest.New(t)
	ada := room.ConnectAs("ada")
	var answer struct{ Data []string }
	room.Step("request", parlortest.M{"from": "ada", "frame": parlortest.M{"type": "codes"}}, &answer)
	if !slices.Equal(answer.Data, []string{"json", "json", "json", "json"}) {
		t.Error(answer.Data)
	}
	goesOn(t, ada)
}

func TestWhoConnectsMayBeNamedByATextThatIsCut(t *testing.T) {
	room := parlortest.New(t)
	room.Refused("/go-faults?as=refused", 403, "no"+gap)
	room.Step("refused", parlortest.M{"path": "/go-faults?as=misfit", "status": 401}, nil)
	room.Connect("eve", "/go-faults?as=named", nil)
	goesOn(t, room.ConnectAs("ada"))
}

// What the plugin passes goes past its part of the arena, and what the host answers comes into its own.
func TestLongListsPass(t *testing.T) {
	room := parlortest.New(t)
	ada := room.ConnectAs(strings.Repeat("a", 128))
	room.ConnectAs("bob")
	for _, others := range []int{0, 100, 5000, 100} {
		var answer struct{ Data usersOf }
		frame := parlortest.M{"type": "users", "data": others}
		room.Step("request", parlortest.M{"from": ada.Name, "frame": frame}, &answer)
		if want := (usersOf{2, 131, 2}); answer.Data != want {
			t.Errorf("%d others: %v, %v", others, answer.Data, room.Failures())
		}
	}
	goesOn(t, room.ConnectAs("eve"))
}

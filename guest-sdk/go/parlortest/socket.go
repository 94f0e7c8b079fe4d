package parlortest

import (
	"encoding/json"
	"reflect"
	"strings"
)

// Socket is a client's socket in the room.
type Socket struct {
	// Name is what the test calls it.
	Name string
	room *Room
}

// Send sends an event, and waits until the room has handled it. Where data is nil, the event has none.
func (socket *Socket) Send(event string, data any) {
	socket.room.t.Helper()
	socket.room.Step("send", M{"from": socket.Name, "frame": frame(event, data)}, nil)
}

func frame(event string, data any) M {
	frame := M{"type": event}
	if data != nil {
		frame["data"] = data
	}
	return frame
}

// Ack is an acknowledgement.
type Ack struct {
	// Data is the answer; nil where there is none.
	Data any
	// Code and Message are why the event failed; empty where it did not.
	Code    string
	Message string
}

// Request sends an event, and answers the acknowledgement.
func (socket *Socket) Request(event string, data any) Ack {
	socket.room.t.Helper()
	var ack struct {
		Data  any `json:"data"`
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	socket.room.Step("request", M{"from": socket.Name, "frame": frame(event, data)}, &ack)
	return Ack{ack.Data, ack.Error.Code, ack.Error.Message}
}

// Answer answers the first ask that this socket got and did not answer.
func (socket *Socket) Answer(data any) {
	socket.room.t.Helper()
	socket.room.Step("answer", M{"from": socket.Name, "frame": M{"data": data}}, nil)
}

// Frames is what the socket got since this was last asked, whole.
func (socket *Socket) Frames() []M {
	socket.room.t.Helper()
	var frames []M
	socket.room.Step("frames", socket.Name, &frames)
	return frames
}

// Events is the events that the socket got since this was last asked: their data, with the name as `type`.
func (socket *Socket) Events() []M {
	socket.room.t.Helper()
	events := []M{}
	for _, frame := range socket.Frames() {
		if data, ok := frame["data"].(M); ok && frame["type"] == "event" {
			events = append(events, data)
		}
	}
	return events
}

// Expect is that the socket got these events since it was last looked at, in this order, and no others. [Any] stands for any
// value, and a text that ends in it for any text that begins as it does.
func (socket *Socket) Expect(events ...M) {
	socket.room.t.Helper()
	wanted, found := asJSON(events), asJSON(socket.Events())
	if len(events) == 0 {
		wanted = []any{}
	}
	if !fits(wanted, found) {
		socket.room.t.Errorf("%s: expected %s, found %s", socket.Name, text(wanted), text(found))
	}
}

// LoseLine breaks the line of a client that may come back, since its query has `resume`; OnLost has run when this returns.
func (socket *Socket) LoseLine() {
	socket.room.t.Helper()
	socket.room.Step("lose-line", socket.Name, nil)
}

// ComeBack has the client come back over another line, with nothing missing; OnBack has run when this returns.
func (socket *Socket) ComeBack() {
	socket.room.t.Helper()
	socket.room.Step("come-back", socket.Name, nil)
}

// Leave closes the socket from the client's side.
func (socket *Socket) Leave() {
	socket.room.t.Helper()
	socket.room.Step("leave", M{"who": socket.Name, "code": 1000, "reason": ""}, nil)
}

// Closed says how the socket was closed.
type Closed struct {
	Code   int    `json:"code"`
	Reason string `json:"reason"`
}

// Closed is how the socket was closed, by whichever side; nil where it is open.
func (socket *Socket) Closed() *Closed {
	socket.room.t.Helper()
	var closed *Closed
	socket.room.Step("closed", socket.Name, &closed)
	return closed
}

func text(value any) string {
	written, _ := json.Marshal(value)
	return string(written)
}

func asJSON(value any) (same any) {
	_ = json.Unmarshal([]byte(text(value)), &same)
	return same
}

// fits is whether a value is what is wanted.
func fits(wanted, found any) bool {
	switch wanted := wanted.(type) {
	case string:
		begin, open := strings.CutSuffix(wanted, Any)
		other, isText := found.(string)
		return open && (begin == "" || isText && strings.HasPrefix(other, begin)) || wanted == found
	case []any:
		others, ok := found.([]any)
		if !ok || len(others) != len(wanted) {
			return false
		}
		for i := range wanted {
			if !fits(wanted[i], others[i]) {
				return false
			}
		}
		return true
	case M:
		others, ok := found.(M)
		if !ok || len(others) != len(wanted) {
			return false
		}
		for name := range wanted {
			other, there := others[name]
			if !there || !fits(wanted[name], other) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(wanted, found)
}

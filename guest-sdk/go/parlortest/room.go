// Package parlortest runs a plugin's room in a test: the real room and the real component, in a program beside the test
// (`parlor room FILE.wasm --stdio`), with a clock that stands still until the test says how much time passes, and with
// randomness from a seed.
//
//	func TestEverybodyHears(t *testing.T) {
//		room := parlortest.New(t)
//		ada, bob := room.ConnectAs("ada"), room.ConnectAs("bob")
//		ada.Send("say", parlortest.M{"text": "hello"})
//		bob.Expect(parlortest.M{"type": "said", "from": "ada", "text": "hello"})
//	}
//
// The program is the one that the variable PARLOR names, or `parlor` in PATH. The first test builds the plugin as `parlor
// build` does.
package parlortest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// M is an object of JSON.
type M = map[string]any

// Any stands for whatever comes, in what is expected.
const Any = "<any>"

// Room is one room of the plugin.
type Room struct {
	t       testing.TB
	program *program
	// Turns that failed, of which the test has not asked yet.
	failures []Failure
}

type settings struct {
	file string
	open M
}

// Option is a choice of [New].
type Option func(settings *settings)

// Config configures a key of the plugin.
func Config(key, value string) Option {
	return func(settings *settings) { settings.open["config"].(M)[key] = value }
}

// RoomID gives the room an id; it is `room` otherwise.
func RoomID(id string) Option {
	return func(settings *settings) { settings.open["room"] = id }
}

// Seed is where all randomness begins.
func Seed(seed uint32) Option {
	return func(settings *settings) { settings.open["seed"] = seed }
}

// Start is the time at the beginning; the first moment of 2026 otherwise.
func Start(at time.Time) Option {
	return func(settings *settings) { settings.open["now"] = at.UnixMilli() }
}

// File runs a component that is built already, in the place of the plugin in whose folder the test is.
func File(component string) Option {
	return func(settings *settings) { settings.file = component }
}

// New opens a room. Its end is that of the test.
func New(t testing.TB, options ...Option) *Room {
	t.Helper()
	settings := &settings{open: M{"config": M{}}}
	for _, option := range options {
		option(settings)
	}
	if settings.file == "" {
		file, err := built()
		if err != nil {
			t.Fatal(err)
		}
		settings.file = file
	}
	program, err := start(settings.file)
	if err != nil {
		t.Fatal(err)
	}
	room := &Room{t: t, program: program}
	t.Cleanup(program.giveBack)
	room.Step("open", settings.open, nil)
	return room
}

// Step makes one step of the harness, whose verbs `docs/authors/harness.md` of Parlor lists: the result goes into `result`
// where that is not nil. A verb without a value is given nil. An error of the step ends the test.
func (room *Room) Step(verb string, value, result any) {
	room.t.Helper()
	ok, err := room.program.step(verb, value)
	if err == nil && result != nil {
		err = json.Unmarshal(ok, result)
	}
	if err != nil {
		room.t.Fatalf("%s: %v", verb, err)
	}
}

// ConnectAs lets a user come in past the plugin's `Authorize`. The socket's client id is the same text.
func (room *Room) ConnectAs(user string) *Socket {
	room.t.Helper()
	return room.connect(user, M{"meta": M{"user": user, "client": user}})
}

// Connect asks for a socket at an address, such as `/chat?token=x`, with headers; the plugin's `Authorize` decides. The name
// is the test's own, and new.
func (room *Room) Connect(name, path string, headers map[string]string) *Socket {
	room.t.Helper()
	how := M{"path": path}
	if headers != nil {
		how["headers"] = headers
	}
	return room.connect(name, how)
}

func (room *Room) connect(name string, how M) *Socket {
	room.t.Helper()
	how["as"] = name
	room.Step("connect", how, nil)
	return &Socket{Name: name, room: room}
}

// Refused asks for a socket at an address, and is refused with this status and these words.
func (room *Room) Refused(path string, status int, words string) {
	room.t.Helper()
	room.Step("refused", M{"path": path, "status": status, "body": words}, nil)
}

// Advance lets time pass; timers and the alarm ring on their way.
func (room *Room) Advance(span time.Duration) {
	room.t.Helper()
	room.Step("advance", span.Milliseconds(), nil)
}

// Sleep has the room give up its instance; the next event wakes it.
func (room *Room) Sleep() {
	room.t.Helper()
	room.Step("sleep", nil, nil)
}

// Crash loses the instance, as a fault does; the next event makes a new one.
func (room *Room) Crash() {
	room.t.Helper()
	room.Step("crash", nil, nil)
}

// Check runs `OnCheck`, as `parlor simulate` does after each of its steps, and fails the test where that fails.
func (room *Room) Check() {
	room.t.Helper()
	room.Step("check", nil, nil)
	for _, failure := range room.look() {
		if failure.Event == "$check" {
			room.t.Fatalf("OnCheck failed with %s: %s", failure.Code, failure.Message)
		}
	}
}

// Restart has the server die and start again: all sockets are gone, and what is stored is there.
func (room *Room) Restart() {
	room.t.Helper()
	room.Step("restart", nil, nil)
}

// Swap has another component take over, or the same one.
func (room *Room) Swap(component string) {
	room.t.Helper()
	room.Step("swap", component, nil)
}

// Stored is all that the room stores, by its keys: JSON values, and {"$bytes": [...]} for a value that is none.
func (room *Room) Stored() M {
	room.t.Helper()
	var stored M
	room.Step("stored", nil, &stored)
	return stored
}

// Failure is a turn that failed.
type Failure struct {
	Event   string `json:"event"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// String is all of it, in a line.
func (failure Failure) String() string {
	return fmt.Sprintf("%s: %s: %s", failure.Event, failure.Code, failure.Message)
}

// Failures is the turns that failed since this was last asked. Rejections are not among them.
func (room *Room) Failures() []Failure {
	room.t.Helper()
	room.look()
	failures := room.failures
	room.failures = nil
	return failures
}

// look takes in which turns failed since the last look, and says which these are.
func (room *Room) look() []Failure {
	room.t.Helper()
	var failures []Failure
	room.Step("failures", nil, &failures)
	room.failures = append(room.failures, failures...)
	return failures
}

// Log is the lines of the plugin's log since this was last asked, each with its level: `info: words`.
func (room *Room) Log() []string {
	room.t.Helper()
	var lines []string
	room.Step("log", nil, &lines)
	return lines
}

// Package host is the contract between a plugin and its host, as Go has it: plain types, one function for each import, and
// the exports. The bindings are written by hand, so that a plugin needs no module but this one; `parlor build` checks them
// against the contract each time that it makes a component.
package host

import (
	"strings"
	"unicode/utf8"
)

// Valid is a text as the host takes it, in UTF-8. A Go string may hold any bytes, such as a part of a letter where it was cut,
// and the host ends an instance that passes them as text: U+FFFD stands in their place.
func Valid(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// SocketID is the number of a socket in its room.
type SocketID = uint32

// Payload is the body of an event or of an emit: JSON text, or bytes.
type Payload struct {
	Binary bool
	// Data is the JSON text, or the bytes.
	Data string
}

// Meta is what is known of a socket.
type Meta struct {
	UserID   string
	ClientID string
	Channels []string
	// Fields is a JSON object.
	Fields string
}

// Request asks for a connection.
type Request struct {
	URI     string
	Room    string
	Headers [][2]string
	Remote  string
}

// Rejection says why a connection is refused.
type Rejection struct {
	Status  uint16
	Message string
}

// Definition is what a plugin says of itself.
type Definition struct {
	Name string
	Path string
}

// Event is something that happened in the room.
type Event struct {
	Cause string
	Name  string
	// Channel is the one that the client named, if it named one.
	Channel      *string
	Payload      *Payload
	Socket       *SocketID
	AnswerWanted bool
	AcceptedAt   float64
}

// Failure says why a handler failed an event.
type Failure struct {
	Code      string
	Message   string
	ForSender bool
}

// Entry is a key with its value.
type Entry struct {
	Key   string
	Value []byte
}

// Page is a part of a listing.
type Page struct {
	Entries []Entry
	// Next is where the next part begins; nil where this was the last.
	Next *string
}

// Said is something that was said to a channel whose history is kept.
type Said struct {
	Position string
	Event    string
	Data     Payload
	At       float64
}

// SaidPage is a part of a channel's history.
type SaidPage struct {
	Entries   []Said
	Recovered bool
}

// The kinds of a refusal, by their places in the contract.
const (
	LimitExceeded = iota
	NoSuchSocket
	NoTurn
	Invalid
	Other
)

// Refusal says why the host refused a call.
type Refusal struct {
	Kind int
	// Words name the bound, or say what is wrong.
	Words string
}

func (refusal *Refusal) Error() string {
	switch refusal.Kind {
	case LimitExceeded:
		return "the bound " + refusal.Words + " would be passed"
	case NoSuchSocket:
		return "no such socket in this room; it may have left"
	case NoTurn:
		return "outside a turn the room cannot be reached"
	default:
		return refusal.Words
	}
}

// Levels of the log, by their places in the contract.
const (
	Debug = iota
	Info
	Warn
	Error
)

// Plugin is what the exports call.
type Plugin interface {
	Init() (Definition, error)
	Authorize(request Request) (*Meta, *Rejection)
	Handle(event Event) (*Payload, *Failure)
}

// Served is the plugin of this program, once it has said who it is.
var Served Plugin

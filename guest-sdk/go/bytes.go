package parlor

import (
	"encoding/base64"
	"encoding/json"
	"errors"

	"parlor/internal/host"
)

// Bytes are bytes anywhere in what a plugin emits, asks or answers, and in what it reads.
//
// Clients of Socket.IO get and send them as bytes, clients of Verani's protocol as {"base64": "..."}. A message may hold
// 16 of them; more than that go to all clients as {"base64": "..."}. In storage, timers and what [Room.OnSuspend] returns
// they are {"base64": "..."} as well, and read from it.
type Bytes []byte

// Args are several arguments for clients whose protocol has them, as Socket.IO's has; others get an array. It must be the
// whole of the data. A handler reads several arguments of a client as an array.
type Args []any

// What the turn has to do with bytes: whether it wrote any, and what the event brought, once somebody read one.
var (
	wroteBytes  bool
	attachments [][]byte
	readInbox   bool
)

func beginTurn() {
	wroteBytes, attachments, readInbox = false, nil, false
}

type encodedBytes struct {
	Base64 string `json:"base64"`
}

// MarshalJSON writes the bytes as {"base64": "..."}.
func (bytes Bytes) MarshalJSON() ([]byte, error) {
	wroteBytes = true
	return json.Marshal(encodedBytes{base64.StdEncoding.EncodeToString(bytes)})
}

var errNoBytes = errors.New("these are no bytes")

// UnmarshalJSON reads {"base64": "..."}, or the bytes that came beside the event.
func (bytes *Bytes) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	members := map[string]json.RawMessage{}
	if json.Unmarshal(text, &members) != nil {
		return errNoBytes
	}
	var found struct {
		Base64 *string `json:"base64"`
		Marked bool    `json:"_placeholder"`
		Number *int    `json:"num"`
	}
	if json.Unmarshal(text, &found) != nil {
		return errNoBytes
	}
	switch {
	case len(members) == 1 && found.Base64 != nil:
		decoded, err := base64.StdEncoding.DecodeString(*found.Base64)
		if err != nil {
			return errNoBytes
		}
		*bytes = decoded
		return nil
	case len(members) == 2 && found.Marked && found.Number != nil:
		return bytes.attached(*found.Number)
	}
	return errNoBytes
}

func (bytes *Bytes) attached(number int) error {
	if !readInbox {
		attachments, readInbox = host.Attachments(), true
	}
	if number < 0 || number >= len(attachments) {
		return errNoBytes
	}
	*bytes = attachments[number]
	return nil
}

package parlor

import (
	"encoding/json"
	"errors"
	"fmt"

	"parlor/internal/host"
)

// The code of data that a handler cannot read.
const badData = "bad-data"

// Error is an error with a code for programs. A handler may return any error: one that is no Error has the code `error`.
//
// What the host refuses has one of the codes `limit-exceeded`, `no-such-socket`, `no-turn`, `invalid` and `refused`; what
// is no JSON has the code `json`, and a panic the code `panic`.
type Error struct {
	// Code is what programs compare: up to 128 bytes.
	Code string
	// Message is for people: up to 1 KiB.
	Message string
	// ForSender is whether the client that sent the event is told. [Reject] makes such an error.
	ForSender bool
}

// Error is the message.
func (e *Error) Error() string {
	return e.Message
}

// Reject makes an error for the client that sent the event: the turn is undone, and the client gets the event `error` with
// the code and the message, or both in the acknowledgement that it waits for. It does not count as a fault, and
// [Room.OnError] does not run for it.
func Reject(code, message string) error {
	return &Error{Code: code, Message: message, ForSender: true}
}

// Fail makes an error with a code of your own. Clients do not see its words: they are logged, and [Room.OnError] runs.
func Fail(code, message string) error {
	return &Error{Code: code, Message: message}
}

// CodeOf answers the code of an error, or of the one that it wraps; `error` where there is none.
func CodeOf(err error) string {
	if coded := errorOf(err); coded != nil {
		return coded.Code
	}
	return ""
}

// errorOf answers the error with a code that an error is, wraps, or becomes.
func errorOf(err error) *Error {
	if err == nil {
		return nil
	}
	if coded, ok := errors.AsType[*Error](err); ok {
		return coded
	}
	if refusal, ok := errors.AsType[*host.Refusal](err); ok {
		codes := [...]string{"limit-exceeded", "no-such-socket", "no-turn", "invalid", "refused"}
		return &Error{Code: codes[min(refusal.Kind, host.Other)], Message: refusal.Error()}
	}
	return &Error{Code: "error", Message: err.Error()}
}

// told turns a refusal of the host into an Error.
func told(err error) error {
	if err == nil {
		return nil
	}
	return errorOf(err)
}

func failureOf(err error) *host.Failure {
	coded := errorOf(err)
	message := err.Error()
	if coded.ForSender {
		// What the author wrapped around it is not for the client.
		message = coded.Message
	}
	return &host.Failure{
		Code: cut(host.Valid(coded.Code), 128), Message: cut(host.Valid(message), 1024), ForSender: coded.ForSender,
	}
}

// cut cuts a text down, between two characters.
func cut(text string, bytes int) string {
	if len(text) <= bytes {
		return text
	}
	for bytes > 0 && text[bytes]&0xC0 == 0x80 {
		bytes--
	}
	return text[:bytes]
}

// notJSON is an error of encoding/json, without its Go-ish prefix.
func notJSON(err error) error {
	return &Error{Code: "json", Message: err.Error()}
}

// misfit says why data does not fit the type that a handler reads.
func misfit(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		where := ""
		if wrong.Field != "" {
			where = " in " + wrong.Field
		}
		return fmt.Sprintf("%s%s does not fit %s", wrong.Value, where, wrong.Type)
	}
	return err.Error()
}

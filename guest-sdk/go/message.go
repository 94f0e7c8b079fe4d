package parlor

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"parlor/internal/host"
)

const (
	// How many attachments a message has at most.
	attachmentsMax = 16
	// How bytes begin and end in JSON. A quote within a string is written as `\"`, so that this stands nowhere else.
	bytesBegin = `{"base64":"`
	bytesEnd   = `"}`
)

var errNotUTF8 = errors.New("JSON is text in UTF-8, and this is not")

// message is the data of an emit, an ask or an answer.
type message struct {
	payload     host.Payload
	attachments []string
	spread      bool
}

func messageOf(data any) (*message, error) {
	text, err := encode(data)
	if err != nil {
		return nil, err
	}
	_, spread := data.(Args)
	said := &message{payload: host.Payload{Data: text}, spread: spread}
	if wroteBytes {
		said.lift(text)
	}
	return said, nil
}

// encode writes JSON as short as it may be: what stands for itself is not escaped.
func encode(value any) (string, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", notJSON(err)
	}
	if !utf8.Valid(buffer.Bytes()) {
		// Of Go's strings encoding/json sees to that, but not of a json.RawMessage, nor of what a MarshalJSON wrote.
		return "", notJSON(errNotUTF8)
	}
	return strings.TrimSuffix(buffer.String(), "\n"), nil
}

// enclose gives the host what belongs to the payload, which must follow at once.
func (said *message) enclose() (*host.Payload, error) {
	for _, bytes := range said.attachments {
		if err := host.Attach(bytes); err != nil {
			return nil, told(err)
		}
	}
	if said.spread {
		if err := host.Spread(); err != nil {
			return nil, told(err)
		}
	}
	return &said.payload, nil
}

// say says data, after what belongs to it; how many sockets it is for.
func say(data any, how func(data host.Payload) (uint32, error)) (int, error) {
	said, err := messageOf(data)
	if err != nil {
		return 0, err
	}
	payload, err := said.enclose()
	if err != nil {
		return 0, err
	}
	count, err := how(*payload)
	return int(count), told(err)
}

// lift takes bytes out of a JSON text: placeholders stand for them then. A text that is bytes and nothing else is bytes.
func (said *message) lift(text string) {
	var out strings.Builder
	rest, tail := text, ""
	for {
		before, after, found := strings.Cut(rest, bytesBegin)
		out.WriteString(before)
		if !found {
			tail = before
			break
		}
		rest = after
		digits, behind, ends := strings.Cut(after, bytesEnd)
		decoded, err := base64.StdEncoding.DecodeString(digits)
		if !ends || err != nil || len(said.attachments) >= attachmentsMax {
			out.WriteString(bytesBegin)
			continue
		}
		out.WriteString(`{"_placeholder":true,"num":` + strconv.Itoa(len(said.attachments)) + `}`)
		said.attachments = append(said.attachments, string(decoded))
		rest = behind
	}
	if strings.HasPrefix(text, bytesBegin) && tail == "" && len(said.attachments) == 1 {
		said.payload = host.Payload{Binary: true, Data: said.attachments[0]}
		said.attachments = nil
		return
	}
	said.payload.Data = out.String()
}

// read reads what came with an event. Where nothing came, it is the type's zero value.
func read[T any](payload *host.Payload) (value T, err error) {
	if payload == nil {
		return value, nil
	}
	if payload.Binary {
		return readBytes[T](payload.Data)
	}
	if err := json.Unmarshal([]byte(payload.Data), &value); err != nil {
		return value, Reject(badData, misfit(err))
	}
	return value, nil
}

func readBytes[T any](data string) (value T, err error) {
	switch place := any(&value).(type) {
	case *Bytes:
		*place = Bytes(data)
	case *[]byte:
		*place = []byte(data)
	case *any:
		*place = Bytes(data)
	case json.Unmarshaler:
		// A type of the author's own that reads bytes among others.
		text, err := Bytes(data).MarshalJSON()
		if err == nil {
			err = place.UnmarshalJSON(text)
		}
		if err != nil {
			return value, Reject(badData, err.Error())
		}
	default:
		return value, Reject(badData, "these are bytes, and the handler reads JSON")
	}
	return value, nil
}

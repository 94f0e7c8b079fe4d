package parlor

import (
	"encoding/json"
	"errors"
	"strings"

	"parlor/internal/host"
)

// Request is the HTTP request that asks for a connection.
type Request struct {
	// URI is the absolute address as the client saw it, its query included.
	URI string
	// Room is the room that the host read from it.
	Room string
	// Headers are names in lower case with their values, in the order of the request.
	Headers [][2]string
	// Remote is the client's network address, without its port.
	Remote string
}

// Query is a value of the address's query, decoded; empty where there is none.
func (request *Request) Query(name string) string {
	value, _ := request.LookupQuery(name)
	return value
}

// LookupQuery is a value of the address's query, decoded, and whether it is there.
func (request *Request) LookupQuery(name string) (value string, ok bool) {
	address, _, _ := strings.Cut(request.URI, "#")
	_, query, _ := strings.Cut(address, "?")
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if query != "" && unescape(key) == name {
			return unescape(value), true
		}
	}
	return "", false
}

// Header is the first value of a header, whatever its name's case; empty where there is none.
func (request *Request) Header(name string) string {
	for _, header := range request.Headers {
		if strings.EqualFold(header[0], name) {
			return header[1]
		}
	}
	return ""
}

// Auth is what a client of Socket.IO gave as `auth`; found is whether it did.
func (request *Request) Auth[T any]() (auth T, found bool, err error) {
	text := request.Header("parlor-auth")
	if text == "" {
		return auth, false, nil
	}
	if err = json.Unmarshal([]byte(text), &auth); err != nil {
		err = notJSON(err)
	}
	return auth, true, err
}

// unescape decodes as browsers do: what is no escape stays what it is.
func unescape(text string) string {
	if !strings.ContainsAny(text, "%+") {
		return text
	}
	decoded := make([]byte, 0, len(text))
	for at := 0; at < len(text); at++ {
		switch char := text[at]; char {
		case '+':
			decoded = append(decoded, ' ')
		case '%':
			high, low := hexAt(text, at+1), hexAt(text, at+2)
			if high < 0 || low < 0 {
				decoded = append(decoded, '%')
				continue
			}
			decoded = append(decoded, byte(high<<4|low))
			at += 2
		default:
			decoded = append(decoded, char)
		}
	}
	return strings.ToValidUTF8(string(decoded), "\uFFFD")
}

func hexAt(text string, at int) int {
	if at >= len(text) {
		return -1
	}
	digit := text[at]
	if digit >= 'A' && digit <= 'F' {
		digit += 'a' - 'A'
	}
	return strings.IndexByte("0123456789abcdef", digit)
}

// Rejection is an error of [Room.Authorize] that the client is told.
type Rejection struct {
	// Status is the HTTP status, 400 to 599.
	Status int
	// Message is the body of the response.
	Message string
}

// Error is the message.
func (rejection *Rejection) Error() string {
	return rejection.Message
}

// Refuse makes the error that refuses a connection with a status and words for people.
func Refuse(status int, message string) error {
	return &Rejection{status, message}
}

func rejectionOf(err error) *host.Rejection {
	if rejection, ok := errors.AsType[*Rejection](err); ok {
		status := uint16(500)
		if rejection.Status >= 0 && rejection.Status <= 999 {
			status = uint16(rejection.Status)
		}
		return &host.Rejection{Status: status, Message: rejection.Message}
	}
	host.Write(host.Error, "authorize failed: "+CodeOf(err)+": "+err.Error())
	return &host.Rejection{Status: 401}
}

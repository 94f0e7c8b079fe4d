package parlor

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"parlor/internal/host"
)

func lifted(t *testing.T, text string) *message {
	t.Helper()
	said := &message{}
	said.lift(text)
	return said
}

func TestBytesLeavePlaceholdersBehind(t *testing.T) {
	said := lifted(t, `[{"base64":"YQ=="},{"x":{"base64":"Yg=="},"y":1}]`)
	if said.payload.Data != `[{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1},"y":1}]` {
		t.Error(said.payload.Data)
	}
	if strings.Join(said.attachments, " ") != "a b" {
		t.Error(said.attachments)
	}
	whole := lifted(t, `{"base64":""}`)
	if !whole.payload.Binary || whole.payload.Data != "" || whole.attachments != nil {
		t.Errorf("%+v", whole)
	}
}

func TestWhatIsNoBytesStays(t *testing.T) {
	text := `{"x":{"base64":"?"},"y":{"base64":"YQ==","z":1},"t":"{\"base64\":\"YQ==\"}"}`
	if said := lifted(t, text); said.payload.Data != text || said.attachments != nil {
		t.Errorf("%+v", said)
	}
	many := "[" + strings.TrimSuffix(strings.Repeat(`{"base64":"YQ=="},`, attachmentsMax+1), ",") + "]"
	said := lifted(t, many)
	if len(said.attachments) != attachmentsMax || !strings.HasSuffix(said.payload.Data, `"num":15},{"base64":"YQ=="}]`) {
		t.Errorf("%+v", said)
	}
}

func TestBytesAreReadFromWhatTheyAreWrittenAs(t *testing.T) {
	var read struct{ It Bytes }
	text, err := json.Marshal(map[string]any{"It": Bytes{0, 255, 128}})
	if err != nil || json.Unmarshal(text, &read) != nil || string(read.It) != "\x00\xff\x80" {
		t.Errorf("%s, %v, %v", text, read, err)
	}
	for _, other := range []string{`"AP8="`, `{"base64":"?"}`, `{"base64":"","x":1}`, `{"_placeholder":true}`, `3`} {
		if json.Unmarshal([]byte(other), &read.It) == nil {
			t.Errorf("%s is read as %v", other, read.It)
		}
	}
}

func TestAQueryIsDecodedAsBrowsersDo(t *testing.T) {
	request := &Request{URI: "ws://host/ws?a=1&user=a+b%20c%26d%3de%25f%c3%A9%zz%4&flag#user=no"}
	if user := request.Query("user"); user != "a b c&d=e%fé%zz%4" {
		t.Errorf("%q", user)
	}
	if _, there := request.LookupQuery("flag"); !there || request.Query("none") != "" {
		t.Error("a flag is there, and nothing else")
	}
}

func TestTextIsCutBetweenCharacters(t *testing.T) {
	for text, want := range map[string]string{"abc": "abc", "abcd": "abc", "abé": "ab", "é日": "é"} {
		if found := cut(text, 3); found != want {
			t.Errorf("%q is cut to %q", text, found)
		}
	}
}

func TestTheHostGetsValidTexts(t *testing.T) {
	for text, want := range map[string]string{"": "", "aé😀": "aé😀", "aé"[:2]: "a\uFFFD", "\xff\xfeb": "\uFFFDb", "\uFFFD": "\uFFFD"} {
		if found := host.Valid(text); found != want {
			t.Errorf("%q becomes %q", text, found)
		}
	}
	// The bound holds for what is told.
	failure := failureOf(Reject(strings.Repeat("\xffa", 64), strings.Repeat("\xffa", 512)))
	if len(failure.Code) != 128 || len(failure.Message) != 1024 || host.Valid(failure.Message) != failure.Message {
		t.Errorf("%q: %q", failure.Code, failure.Message)
	}
	if failure := failureOf(errors.New("\x80\x80")); failure.Message != "\uFFFD" {
		t.Errorf("%q", failure.Message)
	}
}

func TestWhatIsNoJSONHasACode(t *testing.T) {
	raw := json.RawMessage("\"\xc3\"")
	for _, data := range []any{raw, map[string]any{"x": raw}, math.NaN(), []float64{math.Inf(-1)}, json.RawMessage("{")} {
		if text, err := encode(data); CodeOf(err) != "json" {
			t.Errorf("%v is %q, %v", data, text, err)
		}
	}
	if text, err := encode("a\xc3"); text != "\"a\uFFFD\"" && text != `"a\ufffd"` || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := (&Meta{ClientID: "c", Fields: raw}).contract(); CodeOf(err) != "json" {
		t.Error(err)
	}
}

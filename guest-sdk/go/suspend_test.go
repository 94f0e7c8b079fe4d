package parlor

import (
	"encoding/json"
	"testing"

	"parlor/internal/host"
)

func TestAStateWithItsSchemaIsAnObjectOfTheTwoAlone(t *testing.T) {
	for text, want := range map[string]Suspended{
		`{"schema":"a/1","state":{"x":1}}`:   {"a/1", json.RawMessage(`{"x":1}`)},
		`{ "state" : null, "schema" : "" }`:  {"", json.RawMessage(`null`)},
		`{"schema":"a","state":1,"other":2}`: {"", nil},
		`{"Schema":"a","state":1}`:           {"", nil},
		`{"schema":"a","STATE":1}`:           {"", nil},
		`{"schema":"a"}`:                     {"", nil},
		`{"schema":null,"state":1}`:          {"", nil},
		`{"schema":3,"state":1}`:             {"", nil},
		`["schema","state"]`:                 {"", nil},
		`null`:                               {"", nil},
	} {
		if want.State == nil {
			// Something else wrote it, so that it is the state as a whole.
			want.State = json.RawMessage(text)
		}
		found, err := suspendedOf(&host.Payload{Data: text})
		if err != nil || found.Schema != want.Schema || string(found.State) != string(want.State) {
			t.Errorf("%s: %q %s %v", text, found.Schema, found.State, err)
		}
	}
}

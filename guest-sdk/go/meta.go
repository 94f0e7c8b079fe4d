package parlor

import (
	"encoding/json"
	"slices"
	"unicode/utf8"

	"parlor/internal/host"
)

// Meta is who is connected.
type Meta struct {
	// UserID is who it is; one user may have several sockets. 1 to 128 bytes.
	UserID string
	// ClientID is which connection this is. Where [Room.Authorize] leaves it empty, it is a random one.
	ClientID string
	// Channels is those that the socket is in. Where Authorize names none, it is `default`.
	Channels []string
	// Fields is the plugin's own: a JSON object of up to 4 KiB. Where Authorize leaves it empty, it is {}.
	Fields json.RawMessage
}

// ReadFields reads the plugin's own fields into a type.
func (meta *Meta) ReadFields[T any]() (T, error) {
	return decode[T](meta.Fields)
}

// WithFields is the meta with fields of a type.
func (meta Meta) WithFields(fields any) (*Meta, error) {
	text, err := encode(fields)
	meta.Fields = json.RawMessage(text)
	return &meta, err
}

// In is whether the socket is in a channel.
func (meta *Meta) In(channel string) bool {
	return slices.Contains(meta.Channels, channel)
}

func metaOf(meta host.Meta) *Meta {
	return &Meta{meta.UserID, meta.ClientID, meta.Channels, json.RawMessage(meta.Fields)}
}

// contract is the meta as the host takes it.
func (meta *Meta) contract() (host.Meta, error) {
	contract := host.Meta{UserID: meta.UserID, ClientID: meta.ClientID, Channels: meta.Channels, Fields: string(meta.Fields)}
	if contract.ClientID == "" {
		contract.ClientID = RandomID()
	}
	if contract.Fields == "" {
		contract.Fields = "{}"
	}
	if !utf8.ValidString(contract.Fields) {
		return contract, notJSON(errNotUTF8)
	}
	return contract, nil
}

// How many metas an instance remembers.
const metasKept = 512

// metas is what an instance remembers of the host's answers. What a turn changed is forgotten with the change, and again
// at its end: it may be undone.
type metas struct {
	known   map[SocketID]*Meta
	altered []SocketID
}

func (metas *metas) get(socket SocketID) (*Meta, error) {
	if meta := metas.known[socket]; meta != nil {
		return meta, nil
	}
	found, err := host.GetMeta(socket)
	if err != nil {
		return nil, err
	}
	if metas.known == nil || len(metas.known) >= metasKept {
		metas.known = map[SocketID]*Meta{}
	}
	meta := metaOf(found)
	metas.known[socket] = meta
	return meta, nil
}

func (metas *metas) changed(socket SocketID) {
	delete(metas.known, socket)
	metas.altered = append(metas.altered, socket)
}

func (metas *metas) endTurn() {
	for _, socket := range metas.altered {
		delete(metas.known, socket)
	}
	metas.altered = metas.altered[:0]
}

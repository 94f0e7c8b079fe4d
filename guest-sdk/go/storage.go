package parlor

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"

	"parlor/internal/host"
)

// Storage is the room's own keys and values. Values are JSON, or bytes of your own. What a turn writes is there for its own
// reads at once, and for others when the turn has committed, or never.
//
// A key has 1 to 512 bytes, a value up to 128 KiB, a room's storage up to 16 MiB. The functions with many keys take up to
// 128 of them.
type Storage struct{}

// Entry is a key with its value.
type Entry struct {
	Key string
	// Value is the bytes as they were put.
	Value []byte
}

// JSON reads the value as JSON.
func (entry Entry) JSON[T any]() (T, error) {
	return decode[T](entry.Value)
}

// Page is a part of a listing.
type Page struct {
	Entries []Entry
	// Next is what to give as `after` for the next part; nil where this was the last.
	Next *string
}

func decode[T any](text []byte) (value T, err error) {
	if err = json.Unmarshal(text, &value); err != nil {
		err = notJSON(err)
	}
	return value, err
}

// Get reads the JSON value of a key; found is whether it has one.
func (Storage) Get[T any](key string) (value T, found bool, err error) {
	text, err := host.Get(key)
	if err != nil || text == nil {
		return value, false, told(err)
	}
	value, err = decode[T](text)
	return value, true, err
}

// Put sets the value of a key, as JSON.
func (Storage) Put(key string, value any) error {
	text, err := encode(value)
	if err != nil {
		return err
	}
	return told(host.Put(key, []byte(text)))
}

// GetMany reads the JSON values of keys: of those that have one.
func (Storage) GetMany[T any](keys ...string) (map[string]T, error) {
	texts, err := host.GetMany(keys)
	if err != nil {
		return nil, told(err)
	}
	values := make(map[string]T, len(keys))
	for i, text := range texts {
		if text == nil {
			continue
		}
		if values[keys[i]], err = decode[T](text); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// PutMany sets the values of many keys as JSON, or of none of them.
func (Storage) PutMany[T any](values map[string]T) error {
	entries := make([]host.Entry, 0, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		text, err := encode(values[key])
		if err != nil {
			return err
		}
		entries = append(entries, host.Entry{Key: key, Value: []byte(text)})
	}
	return told(host.PutMany(entries))
}

// GetBytes reads the bytes of a key, whatever they are; nil where it has none.
func (Storage) GetBytes(key string) ([]byte, error) {
	value, err := host.Get(key)
	return value, told(err)
}

// PutBytes sets the bytes of a key.
func (Storage) PutBytes(key string, value []byte) error {
	return told(host.Put(key, value))
}

// Delete removes a key; whether it was there.
func (Storage) Delete(key string) (bool, error) {
	was, err := host.Delete(key)
	return was, told(err)
}

// DeleteMany removes keys; how many of them were there.
func (Storage) DeleteMany(keys ...string) (int, error) {
	count, err := host.DeleteMany(keys)
	return int(count), told(err)
}

// List goes through all entries whose keys begin with a prefix, in ascending order of their keys' bytes. It fetches them
// page by page as you go.
func (storage Storage) List(prefix string) iter.Seq2[Entry, error] {
	const entriesPerPage = 256
	return func(yield func(Entry, error) bool) {
		var after *string
		for {
			page, err := storage.page(prefix, after, entriesPerPage)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, entry := range page.Entries {
				if !yield(entry, nil) {
					return
				}
			}
			if page.Next == nil {
				return
			}
			after = page.Next
		}
	}
}

// Page reads up to limit (1 to 1,000) of the entries whose keys begin with a prefix: those behind the key `after`, or the
// first ones where that is empty. A page may hold fewer and still have a Next.
func (storage Storage) Page(prefix, after string, limit int) (Page, error) {
	if after == "" {
		return storage.page(prefix, nil, limit)
	}
	return storage.page(prefix, &after, limit)
}

func (Storage) page(prefix string, after *string, limit int) (Page, error) {
	page, err := host.Scan(prefix, after, uint32(max(limit, 0)))
	entries := make([]Entry, len(page.Entries))
	for i, entry := range page.Entries {
		entries[i] = Entry(entry)
	}
	return Page{Entries: entries, Next: page.Next}, told(err)
}

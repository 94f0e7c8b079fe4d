package parlor

import (
	"math"
	"time"

	"parlor/internal/host"
)

// Keeping says how much of what is said to a channel the host keeps. What is zero has its default.
type Keeping struct {
	// Entries is how many, 1 to 1,000: 100 by default.
	Entries int
	// For is for how long, up to 30 days: a day by default.
	For time.Duration
	// Durable is whether they outlive the room in its storage, and not only the instance, in memory.
	Durable bool
}

const (
	keptEntries = 100
	keptFor     = 24 * time.Hour
	// How many entries [History.Read] answers that names no limit.
	readEntries = 100
)

// KeepHistory lets the host keep what is said to a channel, for clients that come back (`?since=`) and for [History.Read]: call it
// in the function that [Register] is given, for up to 16 channels.
func (room *Room) KeepHistory(channel string, how Keeping) {
	if how.Entries == 0 {
		how.Entries = keptEntries
	}
	if how.For == 0 {
		how.For = keptFor
	}
	entries, millis := whole32(int64(how.Entries)), whole32(wholeMillis(how.For))
	room.instance.note(host.KeepHistory(channel, entries, millis, how.Durable))
}

// whole32 is the number, or the nearest that the host is told: it refuses both ends.
func whole32(number int64) uint32 {
	return uint32(min(max(number, 0), math.MaxUint32))
}

// History is what was said lately to the channels that [Room.KeepHistory] names.
type History struct{}

// History is what was said lately to the channels that [Room.KeepHistory] names.
func (actor *Actor) History() History {
	return History{}
}

// Said is something that was said to a channel.
type Said struct {
	// Position is where it stands: a text to keep and to give back, not to look into.
	Position string
	// Event is the event's name.
	Event string
	// At is when it was said.
	At   time.Time
	data host.Payload
}

// JSON reads the data into a type.
func (said Said) JSON[T any]() (T, error) {
	value, err := read[T](&said.data)
	if err != nil {
		err = notJSON(err)
	}
	return value, err
}

// HistoryPage is a part of a channel's history.
type HistoryPage struct {
	// Entries is what was said, the oldest first.
	Entries []Said
	// Recovered is whether these and the following are all that was said behind the position that was given.
	Recovered bool
}

// Read answers what was said to a channel behind a position, or from the oldest entry on where that is empty: up to limit
// entries, or 100 where that is 0. A page may hold fewer and others follow: go on behind the last one's position until none come.
func (History) Read(channel, after string, limit int) (HistoryPage, error) {
	if limit == 0 {
		limit = readEntries
	}
	var behind *string
	if after != "" {
		behind = &after
	}
	found, err := host.ReadHistory(channel, behind, whole32(int64(limit)))
	page := HistoryPage{Entries: make([]Said, len(found.Entries)), Recovered: found.Recovered}
	for i, said := range found.Entries {
		page.Entries[i] = Said{said.Position, said.Event, time.UnixMilli(int64(said.At)), said.Data}
	}
	return page, told(err)
}

// Position is that of the last thing that was said to a channel.
func (History) Position(channel string) (string, error) {
	position, err := host.HistoryPosition(channel)
	return position, told(err)
}

package host

import "unsafe"

// KeepHistory keeps what is said to a channel.
func KeepHistory(channel string, entries, ttlMs uint32, durable bool) error {
	var lasting uint32
	if durable {
		lasting = 1
	}
	historyKeep(Valid(channel), entries, ttlMs, lasting, result())
	return done()
}

// ReadHistory answers a part of a channel's history, behind a position where one is given.
func ReadHistory(channel string, after *string, limit uint32) (page SaidPage, err error) {
	hasAfter, behind := flag(after)
	historyRead(Valid(channel), hasAfter, behind, limit, result())
	if err = refused(4); err == nil {
		first, count := wordAt(result(), 4), wordAt(result(), 8)
		page.Recovered = byteAt(result(), 12) != 0
		page.Entries = make([]Said, count)
		for i := range page.Entries {
			page.Entries[i] = saidAt(unsafe.Add(pointer(first), i*40))
		}
	}
	release()
	return page, err
}

func saidAt(entry unsafe.Pointer) Said {
	data := Payload{Binary: byteAt(entry, 16) != 0, Data: textAt(entry, 20)}
	return Said{Position: textAt(entry, 0), Event: textAt(entry, 8), Data: data, At: floatAt(entry, 32)}
}

// HistoryPosition answers where the last entry of a channel's history stands.
func HistoryPosition(channel string) (position string, err error) {
	historyPosition(Valid(channel), result())
	if err = refused(4); err == nil {
		position = textAt(result(), 4)
	}
	release()
	return position, err
}

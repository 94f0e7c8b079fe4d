package host

import "unsafe"

// The host puts what it passes into memory that it asks for. Nothing may be allocated on Go's heap at that moment: a
// garbage collection would look at the clock, which no instance may do while the host calls into it. So there is an arena:
// whoever takes something out of it copies it, and then the arena is empty again.
//
// It has room for the most that the host passes at once by its default limits, behind what the plugin itself put there.
const (
	arenaBytes = 3 << 19
	// What the plugin passes may take this much of the arena; the rest of it goes to the heap.
	ownBytes = 128 << 10
	// The ids of the users of a full room: `sockets-per-room` of them, of 128 bytes, each with its address and length.
	usersBytes = 10_000 * (128 + 8)
	// A page or many values: `storage-bytes-per-call`, with the addresses and lengths of 1,000 entries.
	valuesBytes = 1<<20 + 1_000*16
	// Where the arena is too small this does not compile: no unsigned constant is below zero.
	_ = uint32(arenaBytes - ownBytes - max(usersBytes, valuesBytes))
)

var (
	arena     [arenaBytes / 8]uint64
	arenaUsed uint32
	// overflow is what the arena had no room for: lists of the plugin's that are long, and what the host passes where an
	// operator raised the limits.
	overflow [][]byte
)

//go:wasmexport cabi_export_realloc
func exportRealloc(old, oldSize, align, size uint32) uint32 {
	return realloc(old, oldSize, align, size)
}

//go:wasmexport cabi_import_realloc
func importRealloc(old, oldSize, align, size uint32) uint32 {
	return realloc(old, oldSize, align, size)
}

func realloc(old, oldSize, align, size uint32) uint32 {
	address := allocate(align, size)
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(pointer(address)), size), unsafe.Slice((*byte)(pointer(old)), oldSize))
	}
	return address
}

// allocate finds room for what the host passes.
func allocate(align, size uint32) uint32 {
	return allocateWithin(arenaBytes, align, size)
}

// allocateOwn finds room for what the plugin passes. However much that is, the host's answer to it has its room.
func allocateOwn(align, size uint32) uint32 {
	return allocateWithin(ownBytes, align, size)
}

func allocateWithin(bound, align, size uint32) uint32 {
	at := (arenaUsed + align - 1) &^ (align - 1)
	if size > bound || at > bound-size {
		block := make([]byte, size+align)
		overflow = append(overflow, block)
		address := addressOf(unsafe.Pointer(unsafe.SliceData(block)))
		return (address + align - 1) &^ (align - 1)
	}
	arenaUsed = at + size
	return addressOf(unsafe.Pointer(&arena)) + at
}

// release empties the arena: all that was in it has been copied.
func release() {
	arenaUsed = 0
	overflow = nil
}

func addressOf(p unsafe.Pointer) uint32 {
	return uint32(uintptr(p))
}

// pointer leads to an address that the host knows. It is memory of ours that does not move: the arena, or a result.
func pointer(address uint32) unsafe.Pointer {
	place := uintptr(address)
	return *(*unsafe.Pointer)(unsafe.Pointer(&place))
}

// returned is where the host writes the results of a call that are more than one number. No two calls overlap.
var returned [8]uint64

func result() unsafe.Pointer {
	return unsafe.Pointer(&returned)
}

func byteAt(base unsafe.Pointer, offset uintptr) uint8 {
	return *(*uint8)(unsafe.Add(base, offset))
}

func wordAt(base unsafe.Pointer, offset uintptr) uint32 {
	return *(*uint32)(unsafe.Add(base, offset))
}

func floatAt(base unsafe.Pointer, offset uintptr) float64 {
	return *(*float64)(unsafe.Add(base, offset))
}

// textAt copies a string whose address and length stand at an offset.
func textAt(base unsafe.Pointer, offset uintptr) string {
	return text(wordAt(base, offset), wordAt(base, offset+4))
}

func text(address, length uint32) string {
	return string(view(address, length))
}

func bytesAt(base unsafe.Pointer, offset uintptr) []byte {
	bytes := view(wordAt(base, offset), wordAt(base, offset+4))
	return append(make([]byte, 0, len(bytes)), bytes...)
}

func view(address, length uint32) []byte {
	if length == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(pointer(address)), length)
}

// optionalTextAt copies a string that may be missing: a flag, then the string.
func optionalTextAt(base unsafe.Pointer, offset uintptr) *string {
	if byteAt(base, offset) == 0 {
		return nil
	}
	found := textAt(base, offset+4)
	return &found
}

// textsAt copies a list of strings.
func textsAt(base unsafe.Pointer, offset uintptr) []string {
	first, count := wordAt(base, offset), wordAt(base, offset+4)
	texts := make([]string, count)
	for i := range texts {
		texts[i] = textAt(pointer(first), uintptr(i)*8)
	}
	return texts
}

// wordsAt copies a list of numbers.
func wordsAt(base unsafe.Pointer, offset uintptr) []uint32 {
	first, count := wordAt(base, offset), wordAt(base, offset+4)
	words := make([]uint32, count)
	for i := range words {
		words[i] = wordAt(pointer(first), uintptr(i)*4)
	}
	return words
}

func metaAt(base unsafe.Pointer, offset uintptr) Meta {
	return Meta{
		UserID:   textAt(base, offset),
		ClientID: textAt(base, offset+8),
		Channels: textsAt(base, offset+16),
		Fields:   textAt(base, offset+24),
	}
}

// putText copies a text into the arena and writes its address and length.
func putText(base unsafe.Pointer, offset uintptr, text string) {
	putBytes(base, offset, Valid(text))
}

// putBytes copies bytes, or a text that is valid, into the arena and writes their address and length.
func putBytes(base unsafe.Pointer, offset uintptr, bytes string) {
	address := allocateOwn(1, uint32(len(bytes)))
	copy(unsafe.Slice((*byte)(pointer(address)), len(bytes)), bytes)
	putWord(base, offset, address)
	putWord(base, offset+4, uint32(len(bytes)))
}

func putWord(base unsafe.Pointer, offset uintptr, word uint32) {
	*(*uint32)(unsafe.Add(base, offset)) = word
}

func putByte(base unsafe.Pointer, offset uintptr, value uint8) {
	*(*uint8)(unsafe.Add(base, offset)) = value
}

// list copies strings into the arena; its address.
func list(texts []string) uint32 {
	address := allocateOwn(4, uint32(len(texts))*8)
	for i, text := range texts {
		putText(pointer(address), uintptr(i)*8, text)
	}
	return address
}

// some copies strings that may be missing: whether they are there, and their address.
func some(texts []string) (uint32, uint32) {
	if texts == nil {
		return 0, 0
	}
	return 1, list(texts)
}

func kind(data Payload) uint32 {
	if data.Binary {
		return 1
	}
	return 0
}

// flag is whether a text is there, and what it is then.
func flag(text *string) (uint32, string) {
	if text == nil {
		return 0, ""
	}
	return 1, Valid(*text)
}

// refused reads the result of a call whose `ok` begins at an offset.
func refused(offset uintptr) error {
	base := result()
	if byteAt(base, 0) == 0 {
		return nil
	}
	refusal := &Refusal{Kind: int(byteAt(base, offset))}
	if refusal.Kind != NoSuchSocket && refusal.Kind != NoTurn {
		refusal.Words = textAt(base, offset+4)
	}
	return refusal
}

// done ends a call that answers nothing.
func done() error {
	err := refused(4)
	release()
	return err
}

// number ends a call that answers a number.
func number() (uint32, error) {
	err := done()
	if err != nil {
		return 0, err
	}
	return wordAt(result(), 4), nil
}

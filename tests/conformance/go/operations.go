package conformance

import "maps"

// operation runs one operation; its result.
type operation func(args *args) (any, error)

// operations is all of them, by what of the SDK they call. It is filled when the program starts: operations run operations.
var operations = map[string]operation{}

func init() {
	for _, group := range []map[string]operation{emits, sockets, storage, times, control, values} {
		maps.Copy(operations, group)
	}
}

// nothing is the result of what has none.
func nothing(err error) (any, error) {
	return nil, err
}

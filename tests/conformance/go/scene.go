package conformance

import (
	"encoding/json"
	"fmt"

	"parlor"
)

// value is what a client sent: bytes, or any JSON.
type value struct {
	it any
}

// UnmarshalJSON reads bytes where they are the whole of it, and else JSON.
func (value *value) UnmarshalJSON(text []byte) error {
	var bytes parlor.Bytes
	if string(text) != "null" && bytes.UnmarshalJSON(text) == nil {
		value.it = bytes
		return nil
	}
	return json.Unmarshal(text, &value.it)
}

// scene is where operations run: the turn, and what they may look at.
type scene struct {
	actor  *parlor.Actor
	ctx    *parlor.Ctx
	memory *memory
	// data is that of the event, as the handler has it.
	data any
	// hook is what came with the hook.
	hook any
}

func sceneOf(ctx *parlor.Ctx, memory *memory) *scene {
	scene := sceneOfRoom(ctx.Actor, memory)
	scene.ctx = ctx
	return scene
}

func sceneOfRoom(actor *parlor.Actor, memory *memory) *scene {
	memory.next = 0
	return &scene{actor: actor, memory: memory}
}

// bad is a case that asks for something that is not in the README.
func bad(format string, values ...any) error {
	return parlor.Fail("bad-case", fmt.Sprintf(format, values...))
}

// run runs a list of operations; the list of their results.
func (scene *scene) run(ops any) ([]any, error) {
	list, ok := ops.([]any)
	if !ok {
		return nil, bad("operations are a list, not %v", ops)
	}
	results := []any{}
	for _, op := range list {
		result, err := scene.op(op)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

// op runs one operation.
func (scene *scene) op(op any) (result any, err error) {
	parts, ok := op.([]any)
	if !ok || len(parts) == 0 {
		return nil, bad("an operation is a list that begins with its name, not %v", op)
	}
	name, ok := parts[0].(string)
	if !ok {
		return nil, bad("an operation begins with its name, not with %v", parts[0])
	}
	run, ok := operations[name]
	if !ok {
		return nil, bad("there is no operation %q", name)
	}
	defer func() {
		if found := recover(); found != nil {
			wrong, ok := found.(wrongArgument)
			if !ok {
				panic(found)
			}
			result, err = nil, wrong.err
		}
	}()
	return run(&args{scene, parts[1:]})
}

// wrongArgument is what an argument panics with that cannot be had: the operation does nothing then.
type wrongArgument struct {
	err error
}

// value is a value with the results of the operations in it.
func (scene *scene) value(it any) (any, error) {
	switch it := it.(type) {
	case object:
		if op, ok := it["$"]; ok && len(it) == 1 {
			return scene.op(op)
		}
		values := object{}
		for name, member := range it {
			value, err := scene.value(member)
			if err != nil {
				return nil, err
			}
			values[name] = value
		}
		return values, nil
	case []any:
		values := []any{}
		for _, member := range it {
			value, err := scene.value(member)
			if err != nil {
				return nil, err
			}
			values = append(values, value)
		}
		return values, nil
	}
	return it, nil
}

// frame is that of this event, as the client sent it.
func frame(ctx *parlor.Ctx) (object, error) {
	frame := object{"type": ctx.Event().Name()}
	if channel := ctx.Event().Channel(); channel != "" {
		frame["channel"] = channel
	}
	if text := ctx.Event().Text(); text != "" {
		var data any
		if err := json.Unmarshal([]byte(text), &data); err != nil {
			return nil, err
		}
		frame["data"] = data
	}
	return frame, nil
}

// args is what an operation is given.
type args struct {
	scene *scene
	all   []any
}

func (args *args) given(at int) bool {
	return at < len(args.all)
}

// raw is an argument as it stands; nil where there is none.
func (args *args) raw(at int) any {
	if !args.given(at) {
		return nil
	}
	return args.all[at]
}

func (args *args) any(at int) any {
	found, err := args.scene.value(args.raw(at))
	if err != nil {
		panic(wrongArgument{err})
	}
	return found
}

// get is an argument in a type.
func (args *args) get[T any](at int) (it T) {
	found := args.any(at)
	if same, ok := found.(T); ok {
		return same
	}
	text, err := json.Marshal(found)
	if err == nil {
		err = json.Unmarshal(text, &it)
	}
	if err != nil {
		panic(wrongArgument{bad("argument %d: %v", at+1, err)})
	}
	return it
}

func (args *args) text(at int) string {
	return args.get[string](at)
}

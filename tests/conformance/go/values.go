package conformance

import (
	"encoding/json"
	"reflect"
	"strings"
	"unicode/utf8"
)

// What cases are put together with.
var values = map[string]operation{
	"raw":   func(args *args) (any, error) { return args.raw(0), nil },
	"data":  func(args *args) (any, error) { return args.scene.data, nil },
	"frame": func(args *args) (any, error) { return frame(args.scene.ctx) },
	"hook":  func(args *args) (any, error) { return args.scene.hook, nil },
	"config": func(args *args) (any, error) {
		value, found := args.scene.actor.Config(args.text(0))
		if !found {
			return nil, nil
		}
		return value, nil
	},
	"random": func(args *args) (any, error) { return args.scene.actor.RandomID(), nil },
	"text":   func(args *args) (any, error) { return strings.Repeat(args.text(0), args.get[int](1)), nil },
	"concat": func(args *args) (any, error) {
		var whole strings.Builder
		for at := range args.all {
			part := args.any(at)
			text, ok := part.(string)
			if !ok {
				written, err := json.Marshal(part)
				if err != nil {
					return nil, err
				}
				text = string(written)
			}
			whole.WriteString(text)
		}
		return whole.String(), nil
	},
	"filled": func(args *args) (any, error) {
		list := []any{}
		for range args.get[int](0) {
			list = append(list, args.any(1))
		}
		return list, nil
	},
	"nested": func(args *args) (any, error) {
		var nested any
		for range args.get[int](0) {
			if nested == nil {
				nested = []any{}
			} else {
				nested = []any{nested}
			}
		}
		return nested, nil
	},
	"size": func(args *args) (any, error) {
		switch it := args.any(0).(type) {
		case string:
			return utf8.RuneCountInString(it), nil
		case []any:
			return len(it), nil
		default:
			return nil, bad("%v has no size", it)
		}
	},
	"equal": func(args *args) (any, error) {
		// As JSON has them: the number of a count is of another type than one of a case.
		return reflect.DeepEqual(asJSON(args.any(0)), asJSON(args.any(1))), nil
	},
	"next": func(args *args) (any, error) {
		args.scene.memory.next++
		return args.scene.memory.next, nil
	},
}

func asJSON(it any) (same any) {
	text, err := json.Marshal(it)
	if err != nil || json.Unmarshal(text, &same) != nil {
		return nil
	}
	return same
}

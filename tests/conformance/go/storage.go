package conformance

import "slices"

var storage = map[string]operation{
	"get": func(args *args) (any, error) {
		value, _, err := args.scene.actor.Storage().Get[any](args.text(0))
		return value, err
	},
	"put": func(args *args) (any, error) {
		return nothing(args.scene.actor.Storage().Put(args.text(0), args.any(1)))
	},
	"delete": func(args *args) (any, error) {
		return args.scene.actor.Storage().Delete(args.text(0))
	},
	"get-many": func(args *args) (any, error) {
		keys := args.get[[]string](0)
		values, err := args.scene.actor.Storage().GetMany[any](keys...)
		found := []any{}
		for at, key := range keys {
			// Each key once, as a map has them.
			if value, ok := values[key]; ok && slices.Index(keys, key) == at {
				found = append(found, []any{key, value})
			}
		}
		return found, err
	},
	"put-many": func(args *args) (any, error) {
		entries := map[string]any{}
		for _, entry := range args.get[[][]any](0) {
			key, ok := entry[0].(string)
			if !ok {
				return nil, bad("%v is no key", entry[0])
			}
			entries[key] = entry[1]
		}
		return nothing(args.scene.actor.Storage().PutMany(entries))
	},
	"delete-many": func(args *args) (any, error) {
		return args.scene.actor.Storage().DeleteMany(args.get[[]string](0)...)
	},
	"list": func(args *args) (any, error) {
		found := []any{}
		for entry, err := range args.scene.actor.Storage().List(args.text(0)) {
			if err != nil {
				return nil, err
			}
			value, err := entry.JSON[any]()
			if err != nil {
				return nil, err
			}
			found = append(found, []any{entry.Key, value})
		}
		return found, nil
	},
	"page": func(args *args) (any, error) {
		after := args.get[*string](1)
		if after == nil {
			after = new("")
		}
		page, err := args.scene.actor.Storage().Page(args.text(0), *after, args.get[int](2))
		keys := []any{}
		for _, entry := range page.Entries {
			keys = append(keys, entry.Key)
		}
		return object{"keys": keys, "next": page.Next}, err
	},
	"put-bytes": func(args *args) (any, error) {
		return nothing(args.scene.actor.Storage().PutBytes(args.text(0), args.numbers(1)))
	},
	"get-bytes": func(args *args) (any, error) {
		value, err := args.scene.actor.Storage().GetBytes(args.text(0))
		if err != nil || value == nil {
			return nil, err
		}
		numbers := []any{}
		for _, byte := range value {
			numbers = append(numbers, byte)
		}
		return numbers, nil
	},
}

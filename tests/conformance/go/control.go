package conformance

import (
	"errors"

	"parlor"
)

// Handlers, errors, the log, and memory.
var control = map[string]operation{
	"on": func(args *args) (any, error) {
		memory, ops := args.scene.memory, args.raw(2)
		handler := args.scene.actor.Room().On(args.text(0), func(ctx *parlor.Ctx, data value) error {
			// What the runner asks for itself is no part of a case.
			if ctx.Event().Name() == "sync" {
				return nil
			}
			scene := sceneOf(ctx, memory)
			scene.data = data.it
			_, err := scene.run(ops)
			return err
		})
		memory.handlers[args.text(1)] = handler
		return nil, nil
	},
	"off": func(args *args) (any, error) {
		tag := args.text(0)
		handler, ok := args.scene.memory.handlers[tag]
		delete(args.scene.memory.handlers, tag)
		return ok && args.scene.actor.Room().Off(handler), nil
	},
	"off-all": func(args *args) (any, error) { return args.scene.actor.Room().OffAll(args.text(0)), nil },
	"throw":   func(args *args) (any, error) { return nil, errors.New(args.text(0)) },
	"fail":    func(args *args) (any, error) { return nil, parlor.Fail(args.text(0), args.text(1)) },
	"reject":  func(args *args) (any, error) { return nil, parlor.Reject(args.text(0), args.text(1)) },
	"try": func(args *args) (any, error) {
		done, err := args.scene.op(args.raw(0))
		if err != nil {
			return object{"error": parlor.CodeOf(err)}, nil
		}
		return object{"ok": done}, nil
	},
	"repeat": func(args *args) (last any, err error) {
		for range args.get[int](0) {
			if last, err = args.scene.op(args.raw(1)); err != nil {
				return nil, err
			}
		}
		return last, nil
	},
	"log": func(args *args) (any, error) {
		level, line, log := args.text(0), args.text(1), args.scene.actor.Log()
		switch level {
		case "debug":
			log.Debugf("%s", line)
		case "info":
			log.Infof("%s", line)
		case "warn":
			log.Warnf("%s", line)
		case "error":
			log.Errorf("%s", line)
		default:
			return nil, bad("there is no level %q", level)
		}
		return nil, nil
	},
	"remember": func(args *args) (any, error) {
		args.scene.memory.value = args.any(0)
		return nil, nil
	},
	"life":   func(args *args) (any, error) { return args.scene.memory.life(), nil },
	"errors": func(args *args) (any, error) { return args.scene.memory.takeErrors(), nil },
	"suspend-as": func(args *args) (any, error) {
		args.scene.memory.suspendAs(args.scene.actor.Room(), args.text(0))
		return nil, nil
	},
	"on-suspend": func(args *args) (any, error) {
		args.scene.memory.onSuspend = args.raw(0)
		return nil, nil
	},
}

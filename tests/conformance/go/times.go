package conformance

import "time"

var times = map[string]operation{
	"now": func(args *args) (any, error) { return args.scene.actor.Now().UnixMilli(), nil },
	"timer": func(args *args) (any, error) {
		return nothing(args.scene.actor.Timers().Set(args.text(0), args.span(1), args.raw(2)))
	},
	"timer-cancel": func(args *args) (any, error) {
		return args.scene.actor.Timers().Cancel(args.text(0))
	},
	"alarm-in": func(args *args) (any, error) {
		return nothing(args.scene.actor.Alarm().SetIn(args.span(0)))
	},
	"alarm-at": func(args *args) (any, error) {
		return nothing(args.scene.actor.Alarm().SetAt(time.UnixMilli(int64(args.get[float64](0)))))
	},
	"alarm": func(args *args) (any, error) {
		due, set, err := args.scene.actor.Alarm().Get()
		if err != nil || !set {
			return nil, err
		}
		return due.UnixMilli(), nil
	},
	"alarm-cancel": func(args *args) (any, error) {
		return nothing(args.scene.actor.Alarm().Cancel())
	},
}

// Package parlor is the SDK for rooms in Go: a plugin registers handlers of events, and Parlor runs them, one event at a
// time, in one room each.
//
//	package main
//
//	import "parlor"
//
//	type message struct {
//		Text string `json:"text"`
//	}
//
//	func init() {
//		parlor.Register("chat", "/chat", func(room *parlor.Room) error {
//			room.On("chat.message", func(ctx *parlor.Ctx, said message) error {
//				if said.Text == "" {
//					return parlor.Reject("chat.empty", "say something first")
//				}
//				return ctx.Actor.Emit("chat.message", said)
//			})
//			return nil
//		})
//	}
//
//	func main() {}
//
// `parlor build` makes a component of it, and `parlor dev` serves it and builds it anew at each save.
//
// # Turns
//
// One event is one turn. What a handler asks for (emits, writes, joins, timers) happens when all handlers of the event have
// returned nil, and none of it where one returned an error or panicked. A panic is an error with the code `panic`, whose
// message names the file and the line; the instance goes on with what is in its memory. What the runtime of Go cannot
// recover from (no memory left, a recursion without an end, a map that two goroutines write to) ends the instance, as a
// loop without an end does; the next one is told so ([Room.OnRestore]).
//
// # Names and bounds
//
// Names of events, channels, timers, asks and users have 1 to 128 bytes; `parlor limits --why` lists all bounds. A call
// past a bound returns an [Error] with the code `limit-exceeded`.
package parlor

package parlor

// Outcome is what came of an ask.
type Outcome string

// What can come of an ask.
const (
	// Answered is that the client answered.
	Answered Outcome = "answered"
	// TimedOut is that it did not in time.
	TimedOut Outcome = "timeout"
	// Gone is that its socket left.
	Gone Outcome = "gone"
)

// Ack is what came of an ask, and the client's answer if there is one.
type Ack[T any] struct {
	Outcome Outcome
	// Data is the type's zero value where the client did not answer, or answered without data.
	Data T
}

// ackOf is an ack as the host tells it: the answer is read once the outcome is known.
type ackOf[T any] struct {
	Outcome Outcome `json:"outcome"`
	Data    T       `json:"data"`
}

// OnAck registers a handler that runs once for each ask of this name, which [Ctx.Ask] or [Socket.Ask] made. The ctx is about
// the socket that was asked, which may have left. An answer that does not fit fails the turn, and the client is told.
func (room *Room) OnAck[T any](name string, handle func(ctx *Ctx, ack Ack[T]) error) Handler {
	return room.add(acks, name, func(ctx *Ctx) error {
		told, err := read[ackOf[T]](ctx.event.event.Payload)
		if err != nil {
			return err
		}
		return handle(ctx, Ack[T](told))
	})
}

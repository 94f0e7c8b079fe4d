package parlor

import (
	"math"
	"time"

	"parlor/internal/host"
)

// Timers is the room's timers, by name. They live in memory: they survive the instance, but no restart of the server. What
// must not be forgotten is for [Alarm].
type Timers struct{}

// Set lets [Room.OnTimer] of this name run once, so long after this turn has committed, with this data. A timer of the same
// name is replaced. For a tick, set the timer anew each time that it rings.
func (Timers) Set(name string, delay time.Duration, data any) error {
	millis := wholeMillis(delay)
	if millis < 0 || millis > math.MaxUint32 {
		return Fail("invalid", "a timer runs within 49 days, and not before now: the alarm takes any time")
	}
	text, err := encode(data)
	if err != nil {
		return err
	}
	return told(host.SetTimer(name, uint32(millis), host.Payload{Data: text}))
}

// Cancel forgets a timer; whether it was set.
func (Timers) Cancel(name string) (bool, error) {
	was, err := host.CancelTimer(name)
	return was, told(err)
}

// Alarm is the room's one alarm. It is as durable as what is stored, and rings when nobody is in the room, too.
type Alarm struct {
	now time.Time
}

// SetAt lets [Room.OnAlarm] run at a time; at once where that is past. It replaces an alarm that is set.
func (Alarm) SetAt(at time.Time) error {
	return told(host.SetAlarm(float64(at.UnixMilli())))
}

// SetIn lets [Room.OnAlarm] run so long after now.
func (alarm Alarm) SetIn(delay time.Duration) error {
	return alarm.SetAt(alarm.now.Add(time.Duration(wholeMillis(delay)) * time.Millisecond))
}

// Get is when the alarm is due, if it is set.
func (Alarm) Get() (due time.Time, set bool, err error) {
	at, err := host.GetAlarm()
	if err != nil || at == nil {
		return time.Time{}, false, told(err)
	}
	return time.UnixMilli(int64(*at)), true, nil
}

// Cancel forgets the alarm.
func (Alarm) Cancel() error {
	return told(host.CancelAlarm())
}

package parlor

import "parlor/internal/host"

// Target is whom an emit is for.
type Target struct {
	say func(event string, data host.Payload) (uint32, error)
}

// Emit emits to the target. Data that JSON cannot hold, such as NaN and the infinities, fails with the code `json`.
func (target Target) Emit(event string, data any) error {
	_, err := target.EmitCount(event, data)
	return err
}

// EmitCount emits to the target, and tells for how many sockets it is.
func (target Target) EmitCount(event string, data any) (int, error) {
	return say(data, func(data host.Payload) (uint32, error) { return target.say(event, data) })
}

// Channel is all sockets of a channel.
type Channel struct {
	name string
}

// Emit emits to the channel. Data that JSON cannot hold, such as NaN and the infinities, fails with the code `json`.
func (channel Channel) Emit(event string, data any) error {
	_, err := channel.EmitCount(event, data)
	return err
}

// EmitCount emits to the channel, and tells for how many sockets it is.
func (channel Channel) EmitCount(event string, data any) (int, error) {
	return say(data, func(data host.Payload) (uint32, error) { return host.ToChannel(channel.name, event, data) })
}

// Except is the channel without the sockets of some client ids.
func (channel Channel) Except(clientIDs ...string) Target {
	return Target{func(event string, data host.Payload) (uint32, error) {
		return host.ToChannelExcept(channel.name, clientIDs, event, data)
	}}
}

// Part is the sockets of a channel that fulfil all conditions: of one of some users, with one of some client ids, without
// others; made by [Actor.ToSome].
type Part struct {
	channel  string
	among    among
	excluded []string
}

// Users leaves the sockets of these users, and of those that were named before; nobody where none are named.
func (part Part) Users(userIDs ...string) Part {
	part.among.users = named(part.among.users, userIDs)
	return part
}

// Clients leaves the sockets with these client ids, and with those that were named before; nobody where none are named.
func (part Part) Clients(clientIDs ...string) Part {
	part.among.clients = named(part.among.clients, clientIDs)
	return part
}

// Except leaves out the sockets with these client ids as well.
func (part Part) Except(clientIDs ...string) Part {
	part.excluded = named(part.excluded, clientIDs)
	return part
}

// Emit emits to these sockets. Data that JSON cannot hold, such as NaN and the infinities, fails with the code `json`.
func (part Part) Emit(event string, data any) error {
	_, err := part.EmitCount(event, data)
	return err
}

// EmitCount emits to these sockets, and tells how many they are.
func (part Part) EmitCount(event string, data any) (int, error) {
	return say(data, func(data host.Payload) (uint32, error) {
		return host.ToChannelSome(part.channel, part.among.users, part.among.clients, part.excluded, event, data)
	})
}

// OtherRoom is whom an emit into another room is for; made by [Actor.ToRoom]. All conditions hold together, and there must be
// one.
type OtherRoom struct {
	room    string
	channel *string
	among   among
}

// Channel leaves the sockets of a channel.
func (room OtherRoom) Channel(channel string) OtherRoom {
	room.channel = &channel
	return room
}

// Users leaves the sockets of these users, and of those that were named before; nobody where none are named.
func (room OtherRoom) Users(userIDs ...string) OtherRoom {
	room.among.users = named(room.among.users, userIDs)
	return room
}

// Clients leaves the sockets with these client ids, and with those that were named before; nobody where none are named.
func (room OtherRoom) Clients(clientIDs ...string) OtherRoom {
	room.among.clients = named(room.among.clients, clientIDs)
	return room
}

// Emit emits into the other room once this turn has committed. The data is JSON, without [Bytes] in it. Nobody tells whom it
// reaches: nobody hears it where the room is not open.
func (room OtherRoom) Emit(event string, data any) error {
	_, err := say(data, func(data host.Payload) (uint32, error) {
		return 0, host.ToRoom(room.room, room.channel, room.among.users, room.among.clients, event, data)
	})
	return err
}

// among is of whom an emit must be for: nil is no condition, and an empty list is nobody.
type among struct {
	users, clients []string
}

func named(before, ids []string) []string {
	return append(append([]string{}, before...), ids...)
}

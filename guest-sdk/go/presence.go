package parlor

import (
	"encoding/json"
	"slices"
	"strings"

	"parlor/internal/host"
)

const (
	presenceState = "presence.state"
	presenceJoin  = "presence.join"
	presenceLeave = "presence.leave"
	// How much of a list of users a newcomer is told, so that it always fits into an emit.
	stateBytes = 128 << 10
	// How many sockets the host is asked for at once, which is the most.
	socketsPage = 1000
)

// Presence tells the sockets of a channel who is in it, once a turn is over that changed that. A newcomer gets `presence.state`,
// `{"channel", "users": [{"userId", "clients"}]}`, itself among them, in ascending order; of more users than fit into 128 KiB, `"more"`
// says how many are left out. The others get `presence.join` with the first socket of a user, and `presence.leave` with the last:
// `{"channel", "userId"}`. None of this is in the channel's history.
func (room *Room) Presence(channel string) {
	if room.instance.follower == nil {
		room.instance.follower = &presences{metas: &room.instance.metas}
		touch := func(*Ctx) error { return nil }
		room.add(events, hookConnect, touch)
		room.add(events, hookDisconnect, touch)
		// Where a $disconnect trapped, the instance that comes next hears of the socket by this alone.
		room.add(events, hookError, touch)
	}
	room.instance.follower.follow(host.Valid(channel))
}

// follower is presence, for plugins that have it: the others import nothing for it.
type follower interface {
	follow(channel string)
	// begin begins the turn of an event.
	begin(event *host.Event) error
	// touch says that a channel will have other sockets, and touchAll that each may.
	touch(channel string) error
	touchAll() error
	// tell tells of what has changed, at the end of a turn that went well so far.
	tell() error
	// end ends the turn.
	end(failed bool)
}

// present is a socket that the others of its channel know of.
type present struct {
	socket SocketID
	user   string
}

// presence is who is in a channel, as its sockets were told, in ascending order.
type presence struct {
	channel string
	known   []present
	// loaded is whether known is of use: a new instance asks who is there, and all of them know it.
	loaded bool
	// stale is whether known must be compared with the host.
	stale bool
	// next is what known will be when this turn has committed.
	next []present
	told bool
}

type presences struct {
	metas    *metas
	channels []*presence
	// came and left are the socket that came or left with this turn.
	came, left *SocketID
}

func (p *presences) follow(channel string) {
	if !slices.ContainsFunc(p.channels, func(one *presence) bool { return one.channel == channel }) {
		p.channels = append(p.channels, &presence{channel: channel})
	}
}

func (p *presences) begin(event *host.Event) error {
	p.came, p.left = nil, nil
	switch {
	case event.Cause == hookConnect:
		p.came = event.Socket
	case hasLeft(event):
		p.left = event.Socket
	default:
		return nil
	}
	return p.touchAll()
}

// hasLeft is whether the event's socket has left, and nobody was told yet.
func hasLeft(event *host.Event) bool {
	if event.Cause != hookError || event.Payload == nil {
		return event.Cause == hookDisconnect
	}
	var failed Failed
	return json.Unmarshal([]byte(event.Payload.Data), &failed) == nil && failed.Event == hookDisconnect
}

func (p *presences) touchAll() error {
	for _, one := range p.channels {
		if err := p.touch(one.channel); err != nil {
			return err
		}
	}
	return nil
}

func (p *presences) touch(channel string) error {
	for _, one := range p.channels {
		if one.channel != channel {
			continue
		}
		one.stale = true
		if one.loaded {
			continue
		}
		known, err := p.before(channel)
		if err != nil {
			return err
		}
		one.known, one.loaded = known, true
	}
	return nil
}

// before is who was in the channel before this turn.
func (p *presences) before(channel string) ([]present, error) {
	now, err := p.now(channel, nil)
	if err != nil {
		return nil, err
	}
	if p.came != nil {
		now = slices.DeleteFunc(now, func(one present) bool { return one.socket == *p.came })
	}
	if p.left != nil {
		// Where its $disconnect was lost to the disk, the host knows the socket no more.
		if meta, err := p.metas.get(*p.left); err == nil && meta.In(channel) {
			now = append(now, present{*p.left, meta.UserID})
			slices.SortFunc(now, func(one, other present) int { return int(int64(one.socket) - int64(other.socket)) })
		}
	}
	return now, nil
}

// now is who is in the channel: the host is asked who they are only of those that are not known.
func (p *presences) now(channel string, known []present) ([]present, error) {
	ids, err := socketsIn(channel)
	if err != nil {
		return nil, err
	}
	now := make([]present, len(ids))
	at := 0
	for i, id := range ids {
		for at < len(known) && known[at].socket < id {
			at++
		}
		if at < len(known) && known[at].socket == id {
			now[i] = known[at]
			continue
		}
		meta, err := p.metas.get(id)
		if err != nil {
			return nil, err
		}
		now[i] = present{id, meta.UserID}
	}
	return now, nil
}

func (p *presences) tell() error {
	for _, one := range p.channels {
		if !one.stale {
			continue
		}
		now, err := p.now(one.channel, one.known)
		if err != nil {
			return err
		}
		if err := p.tellOf(one, now); err != nil {
			return err
		}
		one.next, one.told = now, true
	}
	return nil
}

func (p *presences) tellOf(one *presence, now []present) error {
	came, left := without(now, one.known), without(one.known, now)
	if len(came) == 0 && len(left) == 0 {
		return nil
	}
	before, after := countsOf(one.known), countsOf(now)
	if err := p.tellOthers(one.channel, presenceLeave, left, after, nil); err != nil {
		return err
	}
	if len(came) == 0 {
		return nil
	}
	newcomers := make([]string, len(came))
	for i, newcomer := range came {
		meta, err := p.metas.get(newcomer.socket)
		if err != nil {
			return told(err)
		}
		newcomers[i] = meta.ClientID
	}
	if err := p.tellOthers(one.channel, presenceJoin, came, before, newcomers); err != nil {
		return err
	}
	state := stateOf(one.channel, after)
	for _, newcomer := range came {
		_, err := say(state, func(data host.Payload) (uint32, error) {
			return host.ToSocket(newcomer.socket, presenceState, data)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tellOthers tells of the users of these sockets, each once, that are not there by others. It is said to some of the channel, which
// is nothing that its history keeps.
func (p *presences) tellOthers(channel, event string, of []present, there map[string]int, excluded []string) error {
	told := map[string]bool{}
	for _, one := range of {
		if there[one.user] > 0 || told[one.user] {
			continue
		}
		told[one.user] = true
		_, err := say(map[string]string{"channel": channel, "userId": one.user}, func(data host.Payload) (uint32, error) {
			return host.ToChannelSome(channel, nil, nil, excluded, event, data)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *presences) end(failed bool) {
	for _, one := range p.channels {
		if one.told && !failed {
			one.known, one.stale = one.next, false
		}
		one.next, one.told = nil, false
	}
}

// without is those that are not among the others; both are in ascending order.
func without(all, others []present) (left []present) {
	at := 0
	for _, one := range all {
		for at < len(others) && others[at].socket < one.socket {
			at++
		}
		if at == len(others) || others[at].socket != one.socket {
			left = append(left, one)
		}
	}
	return left
}

// countsOf is how many sockets each user has.
func countsOf(all []present) map[string]int {
	counts := make(map[string]int, len(all))
	for _, one := range all {
		counts[one.user]++
	}
	return counts
}

type userThere struct {
	UserID  string `json:"userId"`
	Clients int    `json:"clients"`
}

type channelState struct {
	Channel string            `json:"channel"`
	Users   []json.RawMessage `json:"users"`
	More    int               `json:"more,omitempty"`
}

func stateOf(channel string, counts map[string]int) channelState {
	state := channelState{Channel: channel, Users: []json.RawMessage{}}
	users := make([]userThere, 0, len(counts))
	for user, clients := range counts {
		users = append(users, userThere{user, clients})
	}
	slices.SortFunc(users, func(one, other userThere) int { return strings.Compare(one.UserID, other.UserID) })
	left := stateBytes
	for i, user := range users {
		text, _ := encode(user)
		if left -= len(text); left < 0 {
			state.More = len(users) - i
			break
		}
		state.Users = append(state.Users, json.RawMessage(text))
	}
	return state
}

// socketsIn is all sockets of a channel, in ascending order.
func socketsIn(channel string) (all []SocketID, err error) {
	var after *SocketID
	for {
		page, err := host.OfChannel(channel, after, socketsPage)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < socketsPage {
			return all, nil
		}
		after = &all[len(all)-1]
	}
}

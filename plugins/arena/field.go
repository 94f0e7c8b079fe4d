package main

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"parlor"
)

const (
	width  = 800.0
	height = 500.0
	// How far a ball goes in a tick.
	stride = 9.0
	// The radius of a ball; what comes closer is gathered.
	radius = 14.0
	coins  = 12
)

// point is a place on the field.
type point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

type player struct {
	point
	// Toward is where it steers: at most 1 long.
	Toward point `json:"toward"`
	Score  int   `json:"score"`
}

// field is who is where.
type field struct {
	Players map[string]*player `json:"players"`
	Coins   []point            `json:"coins"`
}

// moment is the field as clients see it, in whole steps.
type moment struct {
	Players []shown  `json:"players"`
	Coins   [][2]int `json:"coins"`
}

type shown struct {
	ID    string `json:"id"`
	X     int    `json:"x"`
	Y     int    `json:"y"`
	Score int    `json:"score"`
}

func newField() field {
	return field{Players: map[string]*player{}}
}

// fill puts coins onto a field that has none yet.
func (field *field) fill(actor *parlor.Actor) {
	for len(field.Coins) < coins {
		field.Coins = append(field.Coins, anywhere(actor))
	}
}

func (field *field) add(actor *parlor.Actor, user string) {
	if field.Players[user] == nil {
		field.Players[user] = &player{point: anywhere(actor)}
	}
}

// remove takes a player off the field; the score.
func (field *field) remove(user string) int {
	player := field.Players[user]
	if player == nil {
		return 0
	}
	delete(field.Players, user)
	return player.Score
}

// anywhere is a place that the host's randomness chose.
func anywhere(actor *parlor.Actor) point {
	random := actor.RandomBytes(4)
	share := func(bytes []byte) float64 { return float64(binary.LittleEndian.Uint16(bytes)) / math.MaxUint16 }
	return point{
		X: radius + share(random[:2])*(width-2*radius),
		Y: radius + share(random[2:])*(height-2*radius),
	}
}

func (player *player) steer(x, y float64) {
	if length := math.Hypot(x, y); length > 1 {
		x, y = x/length, y/length
	}
	player.Toward = point{x, y}
}

// move goes on by one tick; whether anybody moved. Who comes first in the order of names gathers a coin.
func (field *field) move(actor *parlor.Actor) bool {
	moved := false
	for _, user := range slices.Sorted(maps.Keys(field.Players)) {
		player := field.Players[user]
		if player.Toward == (point{}) {
			continue
		}
		moved = true
		player.X = min(max(player.X+player.Toward.X*stride, radius), width-radius)
		player.Y = min(max(player.Y+player.Toward.Y*stride, radius), height-radius)
		for i, coin := range field.Coins {
			if math.Hypot(coin.X-player.X, coin.Y-player.Y) < 2*radius {
				player.Score++
				field.Coins[i] = anywhere(actor)
			}
		}
	}
	return moved
}

func (field *field) moment() moment {
	now := moment{Players: []shown{}, Coins: [][2]int{}}
	for _, user := range slices.Sorted(maps.Keys(field.Players)) {
		player := field.Players[user]
		now.Players = append(now.Players, shown{user, int(player.X), int(player.Y), player.Score})
	}
	for _, coin := range field.Coins {
		now.Coins = append(now.Coins, [2]int{int(coin.X), int(coin.Y)})
	}
	return now
}

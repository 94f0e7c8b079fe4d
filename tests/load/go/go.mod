module room/bench

go 1.27

require parlor v0.0.0

replace parlor => ../../../guest-sdk/go

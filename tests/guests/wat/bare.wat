;; The smallest plugin, against the bare contract: it serves /bare and sends each `say` back as it came. The tests put
;; their mischief where a marker stands.
(module
  (import "parlor:room/events@0.1.0" "on" (func $on (param i32 i32 i32)))
  (import "parlor:room/outbox@0.1.0" "to-socket"
    (func $to-socket (param $socket i32) (param $event i32) (param $event-len i32)
      (param $tag i32) (param $data i32) (param $data-len i32) (param $answer i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "say")
  (data (i32.const 32) "/bare")
  ;; Whether `init` is over.
  (global $serving (mut i32) (i32.const 0))
  ;; Where the next thing that the host gives goes: the second page, over and over.
  (global $free (mut i32) (i32.const 65536))

  (func $realloc (export "cabi_realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32)
    (result i32)
    (local $place i32)
    (; in realloc ;)
    (if (i32.gt_u (i32.add (global.get $free) (local.get $size)) (i32.const 131000))
      (then (global.set $free (i32.const 65536))))
    (local.set $place (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $place) (local.get $size)))
    (local.get $place))

  (func (export "parlor:room/guest@0.1.0#init") (result i32)
    (call $on (i32.const 16) (i32.const 3) (i32.const 512))
    (global.set $serving (i32.const 1))
    ;; ok({ name: "say", path: "/bare" })
    (i32.store8 (i32.const 256) (i32.const 0))
    (i32.store (i32.const 260) (i32.const 16))
    (i32.store (i32.const 264) (i32.const 3))
    (i32.store (i32.const 268) (i32.const 32))
    (i32.store (i32.const 272) (i32.const 5))
    (i32.const 256))

  (func (export "parlor:room/guest@0.1.0#authorize") (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (; in authorize ;)
    ;; ok(none)
    (i32.store8 (i32.const 320) (i32.const 0))
    (i32.store8 (i32.const 324) (i32.const 0))
    (i32.const 320))

  (func (export "parlor:room/guest@0.1.0#handle")
    (param $cause i32) (param $cause-len i32) (param $name i32) (param $name-len i32)
    (param $has-channel i32) (param $channel i32) (param $channel-len i32)
    (param $has-payload i32) (param $tag i32) (param $payload i32) (param $payload-len i32)
    (param $has-socket i32) (param $socket i32) (param $answer-wanted i32) (param $accepted-at f64)
    (result i32)
    (; in handle ;)
    (call $to-socket (local.get $socket) (local.get $name) (local.get $name-len)
      (local.get $tag) (local.get $payload) (local.get $payload-len) (i32.const 512))
    ;; ok(none)
    (i32.store8 (i32.const 384) (i32.const 0))
    (i32.store8 (i32.const 388) (i32.const 0))
    (i32.const 384))

  (; at the end ;)
)

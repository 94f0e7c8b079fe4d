;; One of each kind of type, in a function that is lifted and lowered again.
(component
  (type $record (record (field "a" u8) (field "b" (list string))))
  (type $variant (variant (case "none") (case "some" $record)))
  (type $flags (flags "x" "y"))
  (type $enum (enum "p" "q"))
  (type $whole (func (param "v" (option u32)) (param "r" (result u64 (error string))) (param "t" (tuple f32 char s8))
    (result (result))))
  (type $resource (resource (rep i32)))
  (core func $new (canon resource.new $resource))
  (core func $drop (canon resource.drop $resource))
  (core module $code
    (import "host" "new" (func $new (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "whole") (param i32 i32 i32 i64 i32 f32 i32 i32) (result i32)
      (call $drop (call $new (i32.const 7))) (i32.const 0))
    (func $start (loop $again (br_if $again (i32.const 0))))
    (start $start))
  (core instance $core (instantiate $code
    (with "host" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
  (func (export "whole") (type $whole) (canon lift (core func $core "whole") (memory $core "memory")
    (realloc (func $core "realloc")))))

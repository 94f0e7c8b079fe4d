;; The contract's name with another shape behind it.
(component
  (core module $code (func (export "init")))
  (core instance $core (instantiate $code))
  (func $init (canon lift (core func $core "init")))
  (instance $guest (export "init" (func $init)))
  (export "parlor:room/guest@0.1.0" (instance $guest)))

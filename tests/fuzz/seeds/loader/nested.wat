;; Components in components, with values that are passed through.
(component
  (component $inner
    (component $innermost
      (import "f" (func $f))
      (export "g" (func $f)))
    (import "f" (func $f))
    (instance $i (instantiate $innermost (with "f" (func $f))))
    (export "h" (func $i "g")))
  (core module $code (func (export "f")) (memory (export "memory") 1) (table 1 funcref))
  (core instance $core (instantiate $code))
  (func $f (canon lift (core func $core "f")))
  (instance $i (instantiate $inner (with "f" (func $f))))
  (export "run" (func $i "h")))

;; A module that is no plugin, which the wrapping refuses.
(module (func (export "f")))

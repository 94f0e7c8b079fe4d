(component (import "novel:host/thing" (func)))

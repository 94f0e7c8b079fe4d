"""What the host calls, of the engine of `parlor dev`."""

from parlor._engine import Guest
from parlor._stdlib import replace

replace()

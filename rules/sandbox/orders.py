"""The app's orders to the zygote, and the zygote's reports to the app: a few bytes each.

In a file of its own, because the app must not import what the zygote imports.
"""

from __future__ import annotations

import struct

# Fork a child for the channel that comes along, or kill one. The number is the app's own for the
# child.
ORDER = struct.Struct("!BQ")
FORK, KILL = 1, 2
# A child ended: its status as `os.wait4` has it, and the most memory it held, in bytes.
ENDED = struct.Struct("!QqQ")
COULD_NOT_FORK = -1

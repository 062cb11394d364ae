"""What the app orders from the zygote, and what the zygote tells the app: a few bytes each.

Apart from both, because the app must not import what the zygote does.
"""

from __future__ import annotations

import struct

# Fork a child for the channel that comes along, or kill one. The number is the app's own for it.
ORDER = struct.Struct("!BQ")
FORK, KILL = 1, 2
# A child ended: its status as `os.wait4` has it, and the most memory it held, in bytes.
ENDED = struct.Struct("!QqQ")
COULD_NOT_FORK = -1

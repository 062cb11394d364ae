"""What a process is there for."""

from __future__ import annotations

from typing import Literal

# A worker does nothing but deliver. A desk delivers what it sends, unless a worker lives: then it
# hands over. An observer never delivers.
Role = Literal["worker", "desk", "observer"]

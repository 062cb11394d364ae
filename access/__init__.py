"""Who may do what: sign-in, roles, and the trail of what was done.

It is below alerts, people and rules, because these check by themselves what their caller may do.
"""

from access.actor import EVERYTHING, Actor, NotAllowed, Permission

__all__ = ["EVERYTHING", "Actor", "NotAllowed", "Permission"]

"""Rules: when rows of data are bad, people are alerted, exactly once for each bad thing."""

from rules.rule import WHOLE_ROW, Rule

__all__ = ["WHOLE_ROW", "Rule"]

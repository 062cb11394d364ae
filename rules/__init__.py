"""Rules: when rows of data are bad, people are alerted, each bad thing exactly once."""

from rules.rule import WHOLE_ROW, Rule

__all__ = ["WHOLE_ROW", "Rule"]

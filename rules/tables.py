"""The tables of rules: their definitions, states, checks, episodes and alerts.

The definitions belong to no Twilio account; all that follows from checks belongs to one, so that
what was told in a simulation is told again for real. Only transitions are written: a key that stays
bad changes no row. Times are seconds since 1970 in UTC, as in alerts/tables.py.
"""

from __future__ import annotations

import sqlalchemy as sa

from database.tables import metadata

rules = sa.Table(
    "rules",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    # The name as `name_key` in people/names.py makes it: a rule is found by it.
    sa.Column("name_key", sa.Text, nullable=False),
    # As `definition_of` in rule.py makes it, and the number of its last change, from 1.
    sa.Column("definition", sa.JSON, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("changed_at", sa.Double, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    # A deleted rule is kept for its alerts, which name it.
    sa.Column("deleted_at", sa.Double),
)
sa.Index(
    "rules_by_name",
    rules.c.name_key,
    unique=True,
    sqlite_where=rules.c.deleted_at.is_(None),
    postgresql_where=rules.c.deleted_at.is_(None),
)

# Every revision of every rule, and whose it is.
rule_versions = sa.Table(
    "rule_versions",
    metadata,
    sa.Column("rule_id", sa.Text, sa.ForeignKey(rules.c.id), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("definition", sa.JSON, nullable=False),
    sa.Column("changed_at", sa.Double, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
)

# Where a rule stands in one account. Without a row it is a draft there, so that a rule that was on
# in a simulation isn't on for real until a person turns it on.
rule_state = sa.Table(
    "rule_state",
    metadata,
    sa.Column("rule_id", sa.Text, sa.ForeignKey(rules.c.id), primary_key=True),
    sa.Column("account_sid", sa.Text, primary_key=True),
    # A State of rule.py, since when, and who switched it: "" for the rule itself, which was held.
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("state_at", sa.Double, nullable=False),
    sa.Column("state_by", sa.Text, nullable=False),
    # The key columns that the open episodes were made with. If the rule has other key columns by
    # now, the next check begins with a new baseline.
    sa.Column("key_columns", sa.JSON, nullable=False),
    # The number of the last check that was begun, and of those whose rows counted. Episodes count
    # checks by the second number, so that failed checks change nothing.
    sa.Column("check_number", sa.Integer, nullable=False),
    sa.Column("counted_checks", sa.Integer, nullable=False),
    # Null while it is off.
    sa.Column("next_check_at", sa.Double),
    # The worker that is checking it, and until when no other one may.
    sa.Column("leased_by", sa.Text),
    sa.Column("leased_until", sa.Double),
    # When the last check began, how long it took, and how many keys were bad: null where it isn't
    # known because that check failed.
    sa.Column("last_check_at", sa.Double),
    sa.Column("last_seconds", sa.Double),
    sa.Column("bad", sa.Integer),
    # Failed checks in a row, since when, and why the last one failed ("" if it didn't).
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("failing_since", sa.Double),
    sa.Column("failure", sa.Text, nullable=False),
    # What the owner was told last ("" for nothing, or that it is healthy again), and when.
    sa.Column("owner_told", sa.Text, nullable=False),
    sa.Column("owner_told_at", sa.Double),
    # The fingerprint of each source, by name, and of the definition at the last counted check: if
    # none has changed, the query needn't run. Null to make it run.
    sa.Column("prints", sa.JSON(none_as_null=True)),
    # Alerts that are gathered go out then.
    sa.Column("gathered_until", sa.Double),
)
# Finds the rules that are due: few rules are on.
sa.Index("rule_state_due", rule_state.c.next_check_at, rule_state.c.account_sid)

# What each check found, for 30 days.
checks = sa.Table(
    "checks",
    metadata,
    sa.Column("rule_id", sa.Text, sa.ForeignKey(rules.c.id), primary_key=True),
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    # "counted" or "failed", and why it failed. A check that found its data unchanged has no row.
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("failure", sa.Text, nullable=False),
    # How many keys were bad, turned bad, fired, were held, and were over.
    sa.Column("bad", sa.Integer),
    sa.Column("new", sa.Integer, nullable=False),
    sa.Column("fired", sa.Integer, nullable=False),
    sa.Column("held", sa.Integer, nullable=False),
    sa.Column("over", sa.Integer, nullable=False),
    sa.Index("checks_by_time", "at"),
)

# Each time that a key was bad, from its first bad check until it was over.
episodes = sa.Table(
    "episodes",
    metadata,
    sa.Column("rule_id", sa.Text, sa.ForeignKey(rules.c.id), primary_key=True),
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("key_hash", sa.Text, primary_key=True),
    # From 1, for each key.
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    # "known" (in the baseline), "pending", "held", "firing", "recovering" or "over".
    sa.Column("state", sa.Text, nullable=False),
    # Open until it is over.
    sa.Column("is_open", sa.Boolean, nullable=False),
    # The key's values, by column, for people; and the first row that had it: cells by column.
    sa.Column("key", sa.JSON, nullable=False),
    sa.Column("row", sa.JSON, nullable=False),
    # When it was bad first.
    sa.Column("began_at", sa.Double, nullable=False),
    # When it entered its state, and the rule's `counted_checks` then: pending and recovering end a
    # number of checks later.
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("since_check", sa.Integer, nullable=False),
    # The state to which recovering returns if the key is bad again: "known" or "firing".
    sa.Column("returns_to", sa.Text, nullable=False),
    sa.Column("fired_at", sa.Double),
    sa.Column("over_at", sa.Double),
    # Whether its recipients have been told: a muted or gathered one fires untold.
    sa.Column("is_told", sa.Boolean, nullable=False),
    sa.Column("reminders", sa.Integer, nullable=False),
    sa.Column("reminded_at", sa.Double),
)
sa.Index(
    "episodes_open",
    episodes.c.rule_id,
    episodes.c.account_sid,
    # SQLite uses a partial index only if a query has this very condition.
    sqlite_where=sa.text("is_open = 1"),
    postgresql_where=episodes.c.is_open,
)
sa.Index(
    "episodes_over",
    episodes.c.over_at,
    sqlite_where=sa.text("is_open = 0"),
    postgresql_where=sa.not_(episodes.c.is_open),
)

# Which alerts told of which episodes; a grouped alert has a row for each. Rows outlive their
# alerts, which are deleted after KEEP_DAYS.
episode_alerts = sa.Table(
    "episode_alerts",
    metadata,
    sa.Column("alert_id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("rule_id", sa.Text, primary_key=True),
    sa.Column("key_hash", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    # A Kind of telling.py: "firing", "reminder", "recovery", "problem" or "flapping".
    sa.Column("kind", sa.Text, nullable=False),
    sa.Index("episode_alerts_by_episode", "rule_id", "account_sid", "key_hash", "number"),
)

# Mutes: a rule or a key of which no one is told for a while, or a recipient who isn't.
mutes = sa.Table(
    "mutes",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, nullable=False),
    # "" for all rules.
    sa.Column("rule_id", sa.Text, nullable=False),
    # "" for every key; what people call the key.
    sa.Column("key_hash", sa.Text, nullable=False),
    sa.Column("key_words", sa.Text, nullable=False),
    # A number as in `PhoneNumber.dialed`, or "" for everybody.
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("began_at", sa.Double, nullable=False),
    # Null: until a person ends it.
    sa.Column("until", sa.Double),
    # Weekly, such as "sat sun" or "mon-fri 18:00-07:00", in a zone; "" for always.
    sa.Column("weekly", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("muted_by", sa.Text, nullable=False),
    sa.Index("mutes_by_rule", "rule_id", "account_sid"),
)

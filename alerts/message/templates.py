"""Messages with variables: `Batch {{ batch }} failed, {{ now }}`.

Only `{{ … }}` and Jinja's statements, such as `{% if %}`, mean anything. All other braces are text:
a message may be about data, and `{#1407}` or `{%` must not be lost or stop it.

Jinja2's sandbox keeps a template from reaching Python, but not from computing `"a" * 10 ** 9`. So
the templates that people write may hold variables, filters and conditions, but nothing that
repeats.
https://jinja.palletsprojects.com/en/stable/sandbox/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alerts.errors import UnusableInput

# A call says 4,096 characters at most, and parsing a template blocks the event loop.
MOST_TEMPLATE_CHARACTERS = 5_000
# Python compiles no more than 100 levels, and Jinja gets slower with each.
MOST_NESTED_LEVELS = 30
TOO_DEEP = "The message's {{ … }} is nested too deeply."
# Added to sentences about templates, because the braces may come from another program and mean
# nothing here.
VERBATIM = (
    "To send braces as they are, put {% raw %} before and {% endraw %} after them, or use "
    "--verbatim (shell) or template=False (Python)."
)
# Comments, and `{%` without a word that begins a statement: what Jinja would drop or refuse.
# https://jinja.palletsprojects.com/en/stable/templates/#list-of-control-structures
NO_STATEMENT = re.compile(
    r"\{#|\{%(?![-+]?\s*(?:if|elif|else|endif|for|endfor|set|endset|macro|endmacro|call|endcall"
    r"|filter|endfilter|block|endblock|extends|include|import|from|with|endwith|raw|endraw"
    r"|autoescape|endautoescape|do|trans|endtrans|break|continue|debug)\b)"
)

# None of these can multiply its input, so the output grows only with the template's length.
ALLOWED_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr,
    nodes.Getitem, nodes.Filter, nodes.Test, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand,
    nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Div, nodes.Concat, nodes.Neg,
)  # fmt: skip
ALLOWED_FILTERS = frozenset(
    {"capitalize", "default", "first", "last", "length", "lower", "title", "trim", "upper"}
)
# odd, even and divisibleby are left out: on a text they are Python's %, which can pad it endlessly.
ALLOWED_TESTS = frozenset(
    {"!=", "<", "<=", "==", ">", ">=", "defined", "eq", "false", "ge", "gt", "in", "le", "lower",
     "lt", "ne", "none", "number", "string", "true", "undefined", "upper"}
)  # fmt: skip


class UnknownVariable(UnusableInput):
    """A message asks for a variable that has no value; `name` is the variable's, "" if unclear."""

    def __init__(self, problem: str, variables: Mapping[str, object]) -> None:
        unknown = re.fullmatch(r"'(\w+)' is undefined", problem)
        self.name = unknown[1] if unknown else ""
        asked = f"{{{{ {self.name} }}}}" if self.name else "a part of a value that it doesn't have"
        meant = _similar(self.name, variables)
        known = ", ".join(f"{{{{ {name} }}}}" for name in variables)
        advice = f"Did you mean {{{{ {meant} }}}}?" if meant else f"Known: {known}. {VERBATIM}"
        super().__init__(
            "message", f"The message asks for {asked}, which isn't known here. {advice}"
        )


def _similar(name: str, known: Iterable[str]) -> str:
    """Return the one of `known` that `name` was probably meant to be, or ""."""
    by_key = {each.casefold(): each for each in known}
    found = get_close_matches(name.casefold(), by_key, n=1)
    return by_key[found[0]] if found else ""


_environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
_environment.globals.clear()


def render(message: str, variables: Mapping[str, object]) -> str:
    """Return `message` with its `{{ variables }}` filled in, without white space at its ends.

    Raises `UnusableInput` if the template is malformed, uses what isn't allowed, or fails.
    """
    if len(message) > MOST_TEMPLATE_CHARACTERS:
        raise UnusableInput(
            "message", f"The message is over {MOST_TEMPLATE_CHARACTERS:,} characters long."
        )
    if "{" not in message and "\r" not in message:
        # Jinja would change nothing, and take half a millisecond.
        return message.strip()
    stand_in = _unused_character(message + "".join(map(str, variables.values())))
    # While Jinja reads the message, a stand-in replaces the brace of what is only text.
    template = NO_STATEMENT.sub(lambda found: stand_in + found[0][1:], message)
    try:
        return _render(template, variables).replace(stand_in, "{")
    except UnknownVariable:
        raise  # its name is asked for, and it quotes nothing else
    except UnusableInput as problem:
        raise UnusableInput("message", str(problem).replace(stand_in, "{")) from None


def _unused_character(text: str) -> str:
    """Return a private-use character that isn't in `text`."""
    return next(each for each in map(chr, range(0xF0000, 0xFFFFE)) if each not in text)


def _render(template: str, variables: Mapping[str, object]) -> str:
    try:
        return _compiled(template).render(variables).strip()
    except UnusableInput:
        raise
    except UndefinedError as problem:
        raise UnknownVariable(str(problem), variables) from None
    except TemplateSyntaxError as problem:
        raise UnusableInput(
            "message", f"{_why_unreadable(str(problem.message))} {VERBATIM}"
        ) from None
    # NameError: Jinja compiles a number too large for Python to the undefined name `inf`.
    except (
        TemplateError, ArithmeticError, LookupError, NameError, TypeError, ValueError,
    ) as problem:  # fmt: skip
        why = str(problem).rstrip(".")
        if isinstance(problem, TypeError):
            why = "its parts don't go together, such as a number and a text"
        raise UnusableInput(
            "message", f"The message's {{{{ … }}}} fails: {why}. {VERBATIM}"
        ) from None
    except RecursionError:
        raise UnusableInput("message", TOO_DEEP) from None


def _why_unreadable(problem: str) -> str:
    """Put a syntax error in words for people who write messages, not templates."""
    if "end of template" in problem or problem.startswith(("unexpected end", "Unexpected end")):
        return "A {{ or {% in the message has no end: close it with }} or %}, or leave it out."
    if "unknown filter" in problem.lower() or "no filter named" in problem.lower():
        return "The message uses a filter that isn't known here."
    if "unknown tag" in problem.lower():
        return "The message has a {% … %} that isn't known here: only {% if … %} is."
    return "A {{ … }} in the message can't be read: write a variable's name in it, as {{ name }}."


# A broadcast fills in the same template for hundreds of people, and compiling it takes long.
@lru_cache(maxsize=50)
def _compiled(template: str) -> Template:
    tree = _environment.parse(template)
    _refuse_nesting(tree, MOST_NESTED_LEVELS)
    _refuse_what_could_grow(tree)
    return _environment.from_string(tree)


def _refuse_nesting(node: nodes.Node, levels: int) -> None:
    if not levels:
        raise UnusableInput("message", TOO_DEEP)
    for child in node.iter_child_nodes():
        _refuse_nesting(child, levels - 1)


def _refuse_what_could_grow(tree: nodes.Template) -> None:
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, ALLOWED_NODES):
            raise UnusableInput(
                "message",
                "A message may hold {{ variables }}, filters and {% if %}, but no loops, calls, "
                f"lists, or calculations whose results could be long. {VERBATIM}",
            )
        if isinstance(node, nodes.Filter) and node.name not in ALLOWED_FILTERS:
            raise UnusableInput("message", f"A message can't use the filter {node.name!r}.")
        if isinstance(node, nodes.Test) and node.name not in ALLOWED_TESTS:
            raise UnusableInput("message", f"A message can't use the test {node.name!r}.")

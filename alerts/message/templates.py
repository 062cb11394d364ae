"""Messages with variables: `Batch {{ batch }} failed, {{ now }}`.

Jinja2's sandbox keeps a template from reaching Python, but not from computing `"a" * 10 ** 9`. So
the templates that people write may hold variables, filters and conditions, but nothing that
repeats.
https://jinja.palletsprojects.com/en/stable/sandbox/
"""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alerts.errors import UnusableInput

# A call says 4,096 characters at most, and parsing a template blocks the event loop.
MOST_TEMPLATE_CHARACTERS = 5_000
# Python compiles no more than 100 levels, and Jinja gets slower with each.
MOST_NESTED_LEVELS = 30
TOO_DEEP = "The message's {{ … }} is nested too deeply."

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
    try:
        tree = _environment.parse(message)
        _refuse_nesting(tree, MOST_NESTED_LEVELS)
        _refuse_what_could_grow(tree)
        return _environment.from_string(tree).render(variables).strip()
    except UnusableInput:
        raise
    except UndefinedError as problem:
        known = ", ".join(f"{{{{ {name} }}}}" for name in variables)
        raise UnusableInput(
            "message", f"The message uses a variable without a value ({problem}). Known: {known}."
        ) from None
    except TemplateSyntaxError as problem:
        raise UnusableInput(
            "message",
            f"The message's {{{{ … }}}} can't be read: {str(problem.message).rstrip('.')}.",
        ) from None
    # NameError: Jinja compiles a number too large for Python to the undefined name `inf`.
    except (
        TemplateError, ArithmeticError, LookupError, NameError, TypeError, ValueError,
    ) as problem:  # fmt: skip
        raise UnusableInput(
            "message", f"The message's {{{{ … }}}} fails: {str(problem).rstrip('.')}."
        ) from None
    except RecursionError:
        raise UnusableInput("message", TOO_DEEP) from None


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
                "A message may hold {{ variables }}, filters and {% if %}, but no "
                f"{type(node).__name__.lower()}.",
            )
        if isinstance(node, nodes.Filter) and node.name not in ALLOWED_FILTERS:
            raise UnusableInput("message", f"A message can't use the filter {node.name!r}.")
        if isinstance(node, nodes.Test) and node.name not in ALLOWED_TESTS:
            raise UnusableInput("message", f"A message can't use the test {node.name!r}.")

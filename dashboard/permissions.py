"""What visitors may do on the pages: actions that they may not do aren't offered to them.

The desk refuses it in any case, so this needn't stop programs.
"""

from __future__ import annotations

from htmltools import Tag, tags
from shiny import reactive
from shiny.session import Session

from access.actor import NOT_ALLOWED, Actor, Permission

LOOK, SEND, WRITE = Permission.LOOK, Permission.SEND, Permission.WRITE

# The permission that each action of the People page and the Rules page takes. Buttons name their
# action.
ACTIONS_OF_PEOPLE: dict[str, Permission] = {
    **dict.fromkeys(
        (
            "search", "group", "glance", "everybody", "page", "choose", "choose_page",
            "choose_none", "edit", "file_too_large",
        ),
        LOOK,
    ),
    "write": SEND,
    **dict.fromkeys(
        (
            "add", "save", "remove", "remove_chosen", "really_remove", "new_group", "edit_group",
            "save_group", "remove_group", "into_group", "save_into_group", "out_of_group",
            "import_file", "other_file", "change", "leave_out", "merge", "import",
        ),
        WRITE,
    ),
}  # fmt: skip
ACTIONS_OF_RULES: dict[str, Permission] = {
    **dict.fromkeys(
        (
            "form", "show_uploads", "file_too_large", "look_again", "see_all", "versions",
            "mute_sheet", "mute_key", "export", "key_add", "key_remove", "fix", "to_sql", "telling",
            "choose_keys",
        ),
        LOOK,
    ),
    **dict.fromkeys(
        (
            "switch", "held_all", "held_none", "held_choose", "held_some", "upload",
            "remove_upload", "turn_on", "turn_off", "save", "accept_shape", "check_now",
            "bring_back", "mute", "unmute", "remove", "really_remove",
        ),
        WRITE,
    ),
}  # fmt: skip
# Other controls.
OTHERS: dict[Permission, tuple[str, ...]] = {
    SEND: (
        "[id$='-send_test_call']", ".send-page .under-button", "[id$='-stop']", "[id$='-send_now']",
        "[id$='-send_again']", "[data-again]", "[data-cancel]", "[data-emergency-open]",
        ".setup-page [id$='-call']", ".activity-page .nothing-sent [data-tab]",
    ),
    WRITE: (
        ".send-page .keep", ".rules-page a[href*='rule=new']",
        ".rules-page :is(.to-start, .examples)", ".people-page .people-empty > div",
    ),
    Permission.ADMINISTER: (".setup-page [id$='-again']",),
}  # fmt: skip


def may_not(permission: Permission) -> Tag:
    """Return the sentence that people without a permission see in place of its buttons.

    No one else sees it.
    """
    return tags.p(
        NOT_ALLOWED[permission], class_="cb-quiet cb-small", data_lacks=permission.value, hidden=""
    )


def offer_what_is_allowed(session: Session, actor: Actor) -> None:
    """Make a page hide what its visitor may not do, and say why. For use in a module's server."""
    lacking = [each for each in Permission if not actor.may(each)]
    if not lacking:
        return

    @reactive.effect
    async def tell() -> None:
        await session.send_custom_message(
            "callboard-not-allowed",
            {
                "hidden": ", ".join(each for name in lacking for each in _controls_of(name)),
                "lacking": [each.value for each in lacking],
            },
        )


def _controls_of(permission: Permission) -> list[str]:
    """Return the selectors of all controls that take a permission."""
    found = list(OTHERS.get(permission, ()))
    for page, actions in ((".people-page", ACTIONS_OF_PEOPLE), (".rules-page", ACTIONS_OF_RULES)):
        for name, needed in actions.items():
            if needed is permission:
                # A form itself stays visible: people may look at what it holds.
                found.append(f"{page} [data-act='{name}']:not(form)")
                found.append(f"{page} form[data-act='{name}'] [type='submit']")
    return found

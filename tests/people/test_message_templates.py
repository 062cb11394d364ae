"""Message templates are kept by their names."""

from __future__ import annotations

import pytest

from alerts import UnusableInput
from database.database import Database
from people.message_templates import MOST_TEMPLATES, MessageTemplate, Templates


async def test_saved_replaced_and_removed(database: Database):
    templates = Templates(database)
    await templates.save("Recall", "Batch {{ batch }} is off.")
    await templates.save("All clear", "It is fine.")
    await templates.save(" RECALL ", "Stop shipping batch {{ batch }}.")
    assert await templates.all() == [
        MessageTemplate("All clear", "It is fine."),
        MessageTemplate("RECALL", "Stop shipping batch {{ batch }}."),
    ]
    await templates.remove("recall")
    assert [each.name for each in await templates.all()] == ["All clear"]


async def test_what_cannot_be_saved_names_its_field(database: Database):
    templates = Templates(database)
    for name, message, field in [
        ("", "Hello", "template_name"),
        ("x" * 200, "Hello", "template_name"),
        ("Recall", " \n", "message"),
        ("Recall", "x" * 20_001, "message"),
    ]:
        with pytest.raises(UnusableInput) as refused:
            await templates.save(name, message)
        assert refused.value.field == field
    for number in range(MOST_TEMPLATES):
        await templates.save(f"Template {number}", "Hello")
    with pytest.raises(UnusableInput, match="remove one first"):
        await templates.save("One more", "Hello")
    await templates.save("template 7", "Replaced")

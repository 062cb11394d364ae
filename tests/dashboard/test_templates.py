"""Messages with names on the Send page: kept, replaced and removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from people.message_templates import Templates
from tests.support.desks import simulated_desk
from tests.support.page_in_memory import fill_in, opened, shown, until

pytestmark = pytest.mark.usefixtures("fresh_lock")


async def test_a_template_is_kept_replaced_and_removed(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk, opened(desk) as opened_page:
        page, kept = opened_page.session, Templates(await desk.database())
        await fill_in(page, template_name="Off flavor")
        assert "Remove" not in shown(page, "template_removal")
        await fill_in(page, message="Hold it.", **{"save_template:shiny.action": 1})
        await until(page, lambda: "Kept as Off flavor." in shown(page, "template_kept"))
        await until(page, lambda: "Off flavor" in shown(page, "template_choice"))
        await until(page, lambda: "Remove" in shown(page, "template_removal"))
        assert [each.message for each in await kept.all()] == ["Hold it."]
        await fill_in(page, message="Hold all of it.", **{"save_template:shiny.action": 2})
        await until(page, lambda: "Kept as Off flavor." in shown(page, "template_kept"))
        await fill_in(page, **{"remove_template:shiny.action": 1})
        await until(page, lambda: "Removed Off flavor." in shown(page, "template_kept"))
        assert await kept.all() == []
        await until(page, lambda: "Off flavor" not in shown(page, "template_choice"))
        await until(page, lambda: "Remove" not in shown(page, "template_removal"))

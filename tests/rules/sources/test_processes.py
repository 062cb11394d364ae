"""Several processes that share a DATA_DIR: files are replaced whole, and none is read half."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rules.sources.kept_files import KeptFiles
from rules.sources.source import SourceError

WRITER = """
import sys
from pathlib import Path
from rules.sources.kept_files import KeptFiles

kept_files = KeptFiles("lab", Path(sys.argv[1]))
print("ready", flush=True)
for number in range(int(sys.argv[3])):
    text = f"{sys.argv[2]}{number}," * 20_000
    with kept_files.writing(".csv") as path:
        path.write_text(text)
    kept_files.publish({"a": path}, text[:20], {"begins": text[:20]})
"""


@pytest.mark.slow
def test_what_is_current_is_always_whole(tmp_path: Path):
    repository = Path(__file__).resolve().parents[3]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, tmp_path, name, "60"],
            cwd=repository,
            stdout=subprocess.PIPE,
        )
        for name in ("x", "y")
    ]
    for each in writers:
        assert each.stdout is not None
        each.stdout.readline()
    kept_files = KeptFiles("lab", tmp_path)
    seen: set[str] = set()
    while any(each.poll() is None for each in writers):
        kept = kept_files.current()
        assert kept is not None or not seen
        if kept is not None:
            text = kept.files["a"].read_text()
            assert text.startswith(kept.about["begins"])
            assert text.count(",") == 20_000
            seen.add(kept.fingerprint)
    assert [each.wait() for each in writers] == [0, 0]
    assert len(seen) > 1


def test_what_a_process_left_unfinished_is_removed_later(tmp_path: Path):
    kept_files = KeptFiles("lab", tmp_path)
    (tmp_path / "left.csv").write_text("half")
    with kept_files.writing(".csv") as path:
        path.write_text("a\n")
    kept_files.publish({"a": path}, "1")
    assert (tmp_path / "left.csv").exists()

    at = time.time() - 1000
    os.utime(tmp_path / "left.csv", (at, at))
    kept_files.publish({"a": path}, "1")
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(["current.json", path.name])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"files": {"a": "gone.csv"}}', "null"])
def test_a_spoiled_or_emptied_folder_is_as_none(tmp_path: Path, content: str):
    (tmp_path / "current.json").write_text(content)
    assert KeptFiles("lab", tmp_path).current() is None


def test_a_full_disk_is_told(tmp_path: Path):
    def write() -> None:
        with (
            KeptFiles("lab", tmp_path).writing(".csv") as path,
            Path("/dev/full").open("w") as full,
        ):
            path.touch()
            full.write("x")

    with pytest.raises(SourceError, match=r"can't be kept in .*: No space left on device"):
        write()
    assert list(tmp_path.iterdir()) == []

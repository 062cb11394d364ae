"""Sources: named tables of data that rules watch, wherever they come from."""

from rules.sources.shapes import Shape, ShapeChange
from rules.sources.source import Snapshot, Source, SourceError, SourcesFileError
from rules.sources.sources import Sources
from rules.sources.uploads import Upload

__all__ = [
    "Shape",
    "ShapeChange",
    "Snapshot",
    "Source",
    "SourceError",
    "Sources",
    "SourcesFileError",
    "Upload",
]

"""The layers of tests: one a folder under tests/."""

from collections.abc import Iterable
from pathlib import Path, PurePath

LAYERS = {
    "unit": "no network, no server, seconds",
    "data": "Great Expectations suites over the data sets",
    "contract": "the scoring contract, the declared assets, the wire format",
    "integration": "what a trained and deployed workspace must show",
    "smoke": "the live endpoints; changes nothing there",
}
"""Name and meaning, from the fastest to the farthest."""

_FOLDER = "tests"


def layer_of(path: PurePath) -> str | None:
    """Return the layer of a test file, given relative to the project; None for any other file."""
    match path.parts:
        case (folder, layer, _, *_) if folder == _FOLDER and layer in LAYERS:
            return layer
        case _:
            return None


def selected_layers(root: Path, chosen: Iterable[Path]) -> frozenset[str]:
    """Return the layers, among those that `root` has, that the chosen files and folders touch."""
    places = [path.resolve() for path in chosen]
    folders = {layer: (root / _FOLDER / layer).resolve() for layer in LAYERS}
    return frozenset(
        layer
        for layer, folder in folders.items()
        if folder.is_dir() and any(place.is_relative_to(folder) or folder.is_relative_to(place) for place in places)
    )

import io
import os
import sys
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.scoring.chatter import Chatter, speak_into


@given(st.lists(st.binary(min_size=1, max_size=9).filter(lambda piece: b"W" not in piece)), st.integers(1, 30))
def test_what_is_printed_is_passed_on_up_to_the_limit_and_then_said_to_be_left_out(
    pieces: list[bytes], limit: int
) -> None:
    sink = io.BytesIO()
    chatter = Chatter(sink, limit=limit)
    for piece in pieces:
        os.write(chatter.writer.fileno(), piece)
        chatter.pass_on()
    chatter.close()
    printed = b"".join(pieces)
    kept, said, _ = sink.getvalue().partition(b"\nWhat else the job prints is left out")
    assert kept.removesuffix(b"\n") == printed[:limit].removesuffix(b"\n")
    assert bool(said) == (len(printed) >= limit)


@given(st.binary(max_size=20))
def test_what_follows_a_worker_s_last_words_begins_a_line(printed: bytes) -> None:
    sink = io.BytesIO()
    chatter = Chatter(sink, limit=10)
    os.write(chatter.writer.fileno(), printed)
    chatter.close()
    assert sink.getvalue() == b"" or sink.getvalue().endswith(b"\n")


def test_a_writer_never_waits_for_one_that_has_reached_the_limit(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as sink:
        chatter = Chatter(sink, limit=10)
        for _ in range(100):
            os.write(chatter.writer.fileno(), b"x" * 2**15)  # a pipe holds 64 KB
            chatter.pass_on()
        chatter.close()
    assert (tmp_path / "log").read_bytes().startswith(b"x" * 10 + b"\n")


class Stream(io.StringIO):
    """A text stream that stands for a file."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file

    def fileno(self) -> int:
        return self._file.fileno()

    def reconfigure(self, **_: bool) -> None:
        """Nothing is held back here."""


def test_the_standard_streams_of_a_worker_are_the_pipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sink = io.BytesIO()
    chatter = Chatter(sink)
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        monkeypatch.setattr(sys, "stdout", Stream(out))
        monkeypatch.setattr(sys, "stderr", Stream(err))
        speak_into(chatter.writer)
        out.write(b"said\n")
        err.write(b"shouted\n")
    chatter.close()
    assert sorted(sink.getvalue().split()) == [b"said", b"shouted"]

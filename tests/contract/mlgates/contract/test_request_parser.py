"""What is written is read as it was meant, in every format; what is spoilt is refused, with the field named."""

import os
import subprocess
from pathlib import Path

import pytest

from mlgates.endpoint_client import ScoringRequest

# Stands in for curl: what everybody sees of it, what it was told in its configuration, and the body.
_CURL = """#!/bin/sh
printf '%s\\n' "$@" > "$SEEN/arguments"
[ "$2" = - ] && config=/dev/stdin || config=$2
cat "$config" > "$SEEN/config"
for last; do :; done
if [ "$last" = @- ]; then cat > "$SEEN/body"; else printf %s "$last" > "$SEEN/body"; fi
"""


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("body", [b'{"a": "it\'s $5"}', b"\xff\x00a\n"])
def test_the_curl_line_hands_the_key_on_where_nobody_sees_it(tmp_path: Path, shell: str, body: bytes) -> None:
    (tmp_path / "curl").write_text(_CURL)
    (tmp_path / "curl").chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SEEN": str(tmp_path), "KEY": "the/key+="}
    subprocess.run([shell, "-c", ScoringRequest(body).curl("https://host/score")], env=environ, check=True)
    assert (tmp_path / "config").read_text() == 'header = "Authorization: Bearer the/key+="\n'
    assert "the/key" not in (tmp_path / "arguments").read_text()
    assert "https://host/score" in (tmp_path / "arguments").read_text().splitlines()
    assert (tmp_path / "body").read_bytes() == body

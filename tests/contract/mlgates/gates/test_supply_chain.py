"""What uv itself says of requirements."""

from pathlib import Path

import pytest

from mlgates.gates.resolution import resolve


class TestUv:
    def test_without_an_index_uv_still_says_what_is_wrong(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("UV_NO_INDEX", "1")
        (tmp_path / "requirements.txt").write_text("a-distribution-that-nobody-made==1\n")
        (tmp_path / "python_env.yaml").write_text("python: 3.11.7\n")
        assert "a-distribution-that-nobody-made" in resolve(tmp_path, tmp_path).conflict

from pathlib import Path

import pytest

from mlgates.core.errors import ConfigurationError
from mlgates.suites.training_config import read_training

WRONG = {
    "trainin: shop.train:train": "unknown key 'trainin'. Did you mean 'training'?",
    "training: shop.train": "write package.module:name, not 'shop.train'",
    "rows: 100": "name the function that trains",
    "training: shop.train:train\nskip: {no_network_is_used: ''}": "say why 'no_network_is_used' does not hold",
    "training: shop.train:train\nmissing_value: maybe": "missing_value",
}


@pytest.mark.parametrize(("declared", "told"), WRONG.items(), ids=WRONG.values())
def test_what_is_wrong_is_told(tmp_path: Path, declared: str, told: str) -> None:
    file = tmp_path / "training.yml"
    file.write_text(declared)
    with pytest.raises(ConfigurationError) as caught:
        read_training(file, "mlops/training.yml")
    assert told in str(caught.value)


def test_a_file_that_is_not_there_says_what_it_is_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="it says which function the unit suite for training code tests"):
        read_training(tmp_path / "training.yml", "mlops/training.yml")


def test_where_no_function_is_needed_the_file_may_be_missing(tmp_path: Path) -> None:
    assert read_training(tmp_path / "training.yml", "mlops/training.yml", needs_function=False).rows == 160

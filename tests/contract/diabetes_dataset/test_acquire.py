from collections.abc import Iterator
from pathlib import Path

import pytest

from diabetes.errors import DataError
from diabetes_dataset import acquire, origin, stand_in
from diabetes_dataset.errors import DatasetError, Unavailable
from diabetes_dataset.origin import Kind
from tests.contract.diabetes_dataset.conftest import OTHER, PUBLISHED, Declare, Website


@pytest.fixture(scope="module", autouse=True)
def _stand_in_once() -> Iterator[None]:
    made = stand_in.content()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stand_in, "content", lambda: made)
        yield


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.csv"
    path.write_bytes(OTHER)
    return path


def put(output: Path, content: bytes) -> None:
    output.parent.mkdir(parents=True)
    output.write_bytes(content)


def test_what_is_fetched_lies_there_with_its_origin(website: Website, declare: Declare, output: Path) -> None:
    outcome = acquire.fetch(output, declare(website.url))
    assert output.read_bytes() == PUBLISHED
    assert origin.read(output) == outcome.origin == origin.of(PUBLISHED, Kind.MICROSOFT_LEARN)


def test_the_published_data_set_is_not_fetched_twice(
    website: Website, declare: Declare, output: Path, offline: str
) -> None:
    acquire.fetch(output, declare(website.url))
    again = acquire.fetch(output, declare(offline), replace=True)
    assert (again.written, again.offline) == (False, None)


def test_a_published_data_set_put_there_by_hand_gets_its_record(declare: Declare, output: Path, offline: str) -> None:
    put(output, PUBLISHED)
    acquire.fetch(output, declare(offline))
    assert origin.read(output) == origin.of(PUBLISHED, Kind.MICROSOFT_LEARN)


def test_offline_gives_the_stand_in_and_the_reason(declare: Declare, output: Path, offline: str) -> None:
    outcome = acquire.fetch(output, declare(offline))
    assert outcome.origin.origin is Kind.STAND_IN
    assert outcome.origin.generator_version == stand_in.GENERATOR_VERSION
    assert outcome.offline is not None
    assert "Connection refused" in outcome.offline


def test_a_stand_in_stays_until_it_is_given_up(website: Website, declare: Declare, output: Path, offline: str) -> None:
    acquire.fetch(output, declare(offline))
    declared = declare(website.url)
    assert acquire.fetch(output, declared).origin.origin is Kind.STAND_IN
    assert acquire.fetch(output, declared, replace=True).origin.origin is Kind.MICROSOFT_LEARN


def test_a_stand_in_given_up_offline_is_the_same_again(declare: Declare, output: Path, offline: str) -> None:
    acquire.make(output, declare(offline))
    again = acquire.fetch(output, declare(offline), replace=True)
    assert (again.origin.origin, again.written) == (Kind.STAND_IN, False)


def test_a_download_with_another_checksum_writes_nothing(website: Website, declare: Declare, output: Path) -> None:
    website.answer(200, OTHER)
    with pytest.raises(DatasetError, match="another checksum"):
        acquire.fetch(output, declare(website.url))
    assert not output.parent.exists()


def test_data_of_unknown_origin_is_not_overwritten(website: Website, declare: Declare, output: Path) -> None:
    put(output, OTHER)
    with pytest.raises(DatasetError, match="data of unknown origin"):
        acquire.fetch(output, declare(website.url))
    assert output.read_bytes() == OTHER


def test_data_changed_after_it_was_recorded_is_of_unknown_origin(
    website: Website, declare: Declare, output: Path
) -> None:
    acquire.fetch(output, declare(website.url))
    output.write_bytes(OTHER)
    with pytest.raises(DatasetError, match="data of unknown origin"):
        acquire.fetch(output, declare(website.url))


def test_replace_gives_up_data_of_unknown_origin(website: Website, declare: Declare, output: Path) -> None:
    put(output, OTHER)
    acquire.fetch(output, declare(website.url), replace=True)
    assert output.read_bytes() == PUBLISHED


def test_no_stand_in_takes_the_place_of_a_persons_data(declare: Declare, output: Path, offline: str) -> None:
    put(output, OTHER)
    with pytest.raises(Unavailable, match="stays as it was"):
        acquire.fetch(output, declare(offline), replace=True)
    assert output.read_bytes() == OTHER


def test_a_named_file_with_the_published_content_is_the_published_data_set(
    tmp_path: Path, declare: Declare, output: Path, offline: str
) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_bytes(PUBLISHED)
    assert acquire.take(copy, output, declare(offline)).origin.origin is Kind.MICROSOFT_LEARN


def test_another_file_is_refused_and_nothing_written(own: Path, declare: Declare, output: Path, offline: str) -> None:
    with pytest.raises(DatasetError, match="add --unverified"):
        acquire.take(own, output, declare(offline))
    assert not output.parent.exists()


def test_another_file_is_taken_unverified_and_recorded(own: Path, declare: Declare, output: Path, offline: str) -> None:
    acquire.take(own, output, declare(offline), unverified=True)
    assert output.read_bytes() == OTHER
    assert origin.read(output) == origin.of(OTHER, Kind.FILE)


def test_data_that_a_person_took_stays_at_the_next_fetch(
    own: Path, declare: Declare, output: Path, website: Website
) -> None:
    acquire.take(own, output, declare(website.url), unverified=True)
    assert acquire.fetch(output, declare(website.url)).origin.origin is Kind.FILE


def test_data_that_a_person_took_is_not_lost_to_a_stand_in(
    own: Path, declare: Declare, output: Path, offline: str
) -> None:
    acquire.take(own, output, declare(offline), unverified=True)
    with pytest.raises(DatasetError, match="data of origin file"):
        acquire.make(output, declare(offline))
    assert acquire.make(output, declare(offline), replace=True).written


def test_the_published_data_set_is_not_lost_to_a_stand_in(declare: Declare, output: Path, website: Website) -> None:
    acquire.fetch(output, declare(website.url))
    with pytest.raises(DatasetError, match="data of origin microsoft-learn"):
        acquire.make(output, declare(website.url))
    assert output.read_bytes() == PUBLISHED


def test_a_file_in_place_is_adopted_where_it_lies(declare: Declare, output: Path, offline: str) -> None:
    put(output, OTHER)
    outcome = acquire.take(output, output, declare(offline), unverified=True)
    assert (outcome.written, origin.read(output)) == (False, outcome.origin)


def test_a_file_that_cannot_be_trained_on_is_refused_even_unverified(
    tmp_path: Path, declare: Declare, output: Path, offline: str
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a table of patients")
    with pytest.raises(DataError, match="columns missing"):
        acquire.take(text, output, declare(offline), unverified=True)
    assert not output.parent.exists()


def test_a_named_file_that_is_not_there_is_named(tmp_path: Path, declare: Declare, output: Path, offline: str) -> None:
    with pytest.raises(DatasetError, match=r"nowhere\.csv: cannot be read"):
        acquire.take(tmp_path / "nowhere.csv", output, declare(offline))


def test_the_data_set_takes_the_place_of_a_stand_in_without_ado(
    tmp_path: Path, declare: Declare, output: Path, offline: str
) -> None:
    acquire.make(output, declare(offline))
    copy = tmp_path / "copy.csv"
    copy.write_bytes(PUBLISHED)
    assert acquire.take(copy, output, declare(offline)).written

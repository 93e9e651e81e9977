import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlocal.core.database import Database
from amlocal.core.errors import AmlocalError

# A tree of nested blocks: each writes a number, enters its children, then ends well or in an error.
Block = tuple[bool, list["Block"]]
BLOCKS: st.SearchStrategy[Block] = st.deferred(lambda: st.tuples(st.booleans(), st.lists(BLOCKS, max_size=2)))


class Cancelled(Exception):
    """What a test raises in a transaction."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "workspace.db")
    yield database
    database.close()


@pytest.fixture(scope="module")
def shared_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(tmp_path_factory.mktemp("shared") / "workspace.db")
    yield database
    database.close()


def bump(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO counters VALUES ('n', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1")


def count(database: Database) -> int:
    row = database.row("SELECT value FROM counters WHERE name='n'")
    return row["value"] if row else 0


def enter(database: Database, block: Block) -> None:
    fails, children = block
    with database.transaction():
        bump(database)
        for child in children:
            enter(database, child)
        if fails:
            raise Cancelled


def size(block: Block) -> int:
    return 1 + sum(size(child) for child in block[1])


def fails(block: Block) -> bool:
    return block[0] or any(fails(child) for child in block[1])


@settings(max_examples=30, deadline=None)
@given(BLOCKS)
def test_nested_blocks_are_kept_all_or_not_at_all(shared_database: Database, block: Block) -> None:
    before = count(shared_database)
    if fails(block):
        with pytest.raises(Cancelled):
            enter(shared_database, block)
        assert count(shared_database) == before
    else:
        enter(shared_database, block)
        assert count(shared_database) == before + size(block)


def test_a_commit_that_fails_does_not_swallow_the_writes_that_follow(database: Database, tmp_path: Path) -> None:
    # A broken reference shows at COMMIT only, as a full disk may: SQLite then leaves the transaction open.
    database._connection.execute("PRAGMA foreign_keys=ON")
    with database.transaction() as connection:
        connection.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        connection.execute(
            "CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)"
        )
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
        connection.execute("INSERT INTO children VALUES (7)")
    bump(database)
    other = sqlite3.connect(tmp_path / "workspace.db")
    assert other.execute("SELECT value FROM counters WHERE name='n'").fetchone() == (1,)
    other.close()


def test_writers_of_many_threads_lose_nothing(database: Database) -> None:
    def write() -> None:
        for _ in range(50):
            with database.transaction() as connection:
                known = count(database)
                connection.execute("INSERT OR REPLACE INTO counters VALUES ('n', ?)", (known + 1,))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(database) == 200


def test_what_was_written_is_there_after_a_death_without_farewell(tmp_path: Path) -> None:
    dead = Database(tmp_path / "workspace.db")
    bump(dead)
    reopened = Database(tmp_path / "workspace.db")  # while the first never closed
    assert count(reopened) == 1
    reopened.close()
    dead.close()


def test_rows_are_read_by_name(database: Database) -> None:
    bump(database)
    assert [row["name"] for row in database.rows("SELECT * FROM counters WHERE value=?", 1)] == ["n"]


def test_no_row_is_none(database: Database) -> None:
    assert database.row("SELECT * FROM counters") is None


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(AmlocalError, match=r"workspace\.db is damaged.*amlocal reset"):
        Database(path)


def test_a_database_of_a_later_amlocal_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    Database(path).close()
    later = sqlite3.connect(path)
    later.execute("PRAGMA user_version=99")
    later.close()
    with pytest.raises(AmlocalError, match="later amlocal"):
        Database(path)


def test_what_is_read_apart_is_whole_transactions(database: Database) -> None:
    seen: list[int] = []

    def read() -> None:
        seen.append(database.rows_apart("SELECT value FROM counters WHERE name='n'")[0]["value"])

    bump(database)
    with database.transaction():
        bump(database)
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(0.05)
        assert seen == []  # it waits for the end of what is half written
        bump(database)
    reader.join()
    assert seen == [3]


def test_others_read_and_write_while_something_is_read_apart(database: Database) -> None:
    bump(database)
    begun, over = threading.Event(), threading.Event()
    connect = sqlite3.connect

    def connect_slowly(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)

        def wait() -> int:
            begun.set()
            return int(over.wait(10))

        connection.create_function("wait", 0, wait)
        return connection

    found: list[int] = []
    with patch("amlocal.core.database.sqlite3.connect", connect_slowly):
        reader = threading.Thread(
            target=lambda: found.append(database.rows_apart("SELECT value * wait() AS value FROM counters")[0]["value"])
        )
        reader.start()
        assert begun.wait(10)
        bump(database)
        assert count(database) == 2
        over.set()
        reader.join()
    assert found == [1]


def test_who_reads_waits_for_no_writer_and_sees_what_was_committed(database: Database) -> None:
    def seen() -> list[int]:
        return [row["value"] for row in database.rows("SELECT value FROM counters ORDER BY value")]

    with ThreadPoolExecutor(1) as other, database.transaction() as connection:
        connection.execute("INSERT INTO counters VALUES ('a', 1)")
        assert other.submit(seen).result(timeout=30) == []
        assert seen() == [1]  # the writer itself sees what it has written
    assert seen() == [1]


def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError):
        database.rows("INSERT INTO counters VALUES ('a', 1)")

"""The one SQLite file of a workspace: opened, migrated and shared by all stores."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from amlocal.core.errors import AmlocalError
from amlocal.core.paths import naming

_MIGRATIONS = (
    """
    CREATE TABLE documents (
        kind TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL DEFAULT '',
        sequence INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, name, version)
    ) WITHOUT ROWID;
    CREATE INDEX documents_by_sequence ON documents (kind, sequence);
    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE containers (name TEXT PRIMARY KEY, created TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE blobs (
        container TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
        created TEXT NOT NULL, modified TEXT NOT NULL, content_type TEXT NOT NULL, content_md5 TEXT,
        metadata TEXT NOT NULL, chunks TEXT NOT NULL,
        PRIMARY KEY (container, name)
    ) WITHOUT ROWID;
    CREATE TABLE blocks (
        container TEXT NOT NULL, name TEXT NOT NULL, block TEXT NOT NULL,
        digest TEXT NOT NULL, size INTEGER NOT NULL, staged TEXT NOT NULL,
        PRIMARY KEY (container, name, block)
    ) WITHOUT ROWID;
    """,
    # Pages of lists (core/documents.py). `indexed` tells by which rules the postings of a kind were written.
    """
    CREATE TABLE postings (
        kind TEXT NOT NULL, term TEXT NOT NULL, sequence INTEGER NOT NULL,
        PRIMARY KEY (kind, term, sequence)
    ) WITHOUT ROWID;
    CREATE INDEX postings_by_sequence ON postings (sequence);
    CREATE TABLE indexed (kind TEXT PRIMARY KEY, edition INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX documents_by_name ON documents (kind, name, sequence);
    CREATE INDEX documents_by_number ON documents (kind, name, length(ltrim(version, '0')), ltrim(version, '0'))
        WHERE version <> '' AND version NOT GLOB '*[^0-9]*';
    """,
)


_BUSY_MS = 5000  # for so long a statement waits for another process


class Database:
    """SQLite in WAL mode: stores may be called from any thread.

    What is written goes over one connection, under one lock. Outside of a transaction, reads have a connection of
    their own: they see what was committed, and wait for no writer.
    `synchronous=NORMAL` keeps every committed write when the process is killed; only a power cut may lose some.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises `AmlocalError` when it is no database, or one of a later amlocal."""
        self._lock, self._read_lock = threading.RLock(), threading.Lock()
        self._mine = threading.local()  # `writes` is set while this thread is in a transaction
        self._path = path
        self.writes = 0  # grows at both ends of each block that may write: what was read at one count is true at it
        with naming(path):
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        try:
            with naming(path):
                self._prepare(path)
                self._reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except BaseException:
            self._connection.close()
            raise
        self._reader.row_factory = sqlite3.Row
        for pragma in (f"busy_timeout={_BUSY_MS}", "query_only=ON"):
            self._reader.execute(f"PRAGMA {pragma}")

    def _prepare(self, path: Path) -> None:
        try:
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={_BUSY_MS}"):
                self._connection.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError:  # a full disk, say: the file itself is not to blame, and it is named
            raise
        except sqlite3.DatabaseError as error:
            raise AmlocalError(
                f"{path} is damaged: {error}. Restore it, or start anew with 'amlocal reset'."
            ) from error
        self._migrate(path)

    def _migrate(self, path: Path) -> None:
        done = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if done > len(_MIGRATIONS):
            raise AmlocalError(f"{path} is of a later amlocal (format {done}, known up to {len(_MIGRATIONS)}). Update.")
        for number, script in enumerate(_MIGRATIONS[done:], start=done + 1):
            self._connection.executescript(f"BEGIN; {script} PRAGMA user_version={number}; COMMIT;")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection; all that is written in the block is kept, or, on an exception, none of it.

        Blocks may nest: the outermost one decides.
        """
        with self._lock, self._counted():
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._mine.writes = True
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._mine.writes = False

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.writes += 1
        try:
            yield
        finally:
            self.writes += 1

    def _roll_back(self) -> None:
        # SQLite has rolled back by itself after some errors (a full disk); after others, also of COMMIT, the
        # transaction is still open, and what came next would be taken for a part of it.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Return what a SELECT finds."""
        with self._reading() as connection:
            return connection.execute(statement, values).fetchall()

    def rows_apart(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Return what a long SELECT finds, by a connection of its own: nobody waits for it.

        It sees what was committed when it began, and begins while no transaction is open.
        """
        with closing(sqlite3.connect(self._path, isolation_level=None)) as own:
            own.row_factory = sqlite3.Row
            with self._lock:
                own.execute("BEGIN")
                own.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first read is what fixes the view
            return own.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> sqlite3.Row | None:
        """Return the first row that a SELECT finds, or None."""
        with self._reading() as connection:
            found: sqlite3.Row | None = connection.execute(statement, values).fetchone()
            return found

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if getattr(self._mine, "writes", False):
            yield self._connection
            return
        with self._read_lock:
            yield self._reader

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        with self._lock, self._read_lock:
            self._reader.close()
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()

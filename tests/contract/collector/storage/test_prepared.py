"""Rows for the driver as they are."""

from sqlalchemy import bindparam, insert, select, update

from collector.storage import hosts
from collector.storage.database import Database
from collector.storage.prepared import Prepared
from collector.storage.tables import boot
from tests.builders import NOON_MS


async def test_rows_are_given_in_the_order_of_the_names_whatever_the_statement_s(db: Database) -> None:
    add = Prepared(insert(boot), ("received_ms", "last_seq", "first_seq", "boot_id", "host_id"))
    move = Prepared(
        update(boot).where(boot.c.boot_id == bindparam("which")).values(last_seq=bindparam("last")), ("which", "last")
    )
    async with db.writing() as connection:
        owner = (await hosts.ensure(connection, ["lb1"]))["lb1"].id
        await add.run(connection, [(NOON_MS, 9, 1, "a", owner), (NOON_MS, 9, 2, "b", owner)])
        await move.run(connection, [("a", 11)])
        await move.run(connection, [])
        found = (await connection.execute(select(boot.c.boot_id, boot.c.first_seq, boot.c.last_seq))).all()
    assert sorted(map(tuple, found)) == [("a", 1, 11), ("b", 2, 9)]

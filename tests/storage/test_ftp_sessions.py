"""Logins to an FTP host are kept for some seconds, shared, and replaced when they are of no use."""

import asyncio
import ftplib
import threading
import time

import pytest

from storage import FTPStorage, StorageError, ftp_pool
from storage.ftp_pool import FTPPool
from tests.support.ftp_host import ftp_host
from tests.support.servers import free_port

PUBLIC = "https://files.example.com/twiml"


def wait_until(happened) -> None:
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_documents_one_after_another_need_one_login(tmp_path):
    with ftp_host(tmp_path) as host:
        storage = FTPStorage(host.url("/calls"), PUBLIC)
        for _ in range(3):
            await storage.delete(await storage.publish("ann", "<Response/>"))
        await storage.close()
    assert len(host.sent("USER")) == 1
    assert len(host.sent("STOR")) == len(host.sent("DELE")) == 3


async def test_host_that_takes_long_for_a_login_is_asked_for_few(tmp_path):
    with ftp_host(tmp_path, login_seconds=0.5) as host:
        storage = FTPStorage(host.url(), PUBLIC)
        await asyncio.gather(*(storage.publish("ann", "<Response/>") for _ in range(8)))
        await storage.close()
    assert len(list(tmp_path.iterdir())) == 8
    # One for the first, and one for the next, which began before the first came back.
    assert len(host.sent("USER")) <= 2


async def test_session_that_the_host_ended_is_replaced(tmp_path):
    with ftp_host(tmp_path) as host:
        storage = FTPStorage(host.url(), PUBLIC)
        await storage.publish("ann", "<Response/>")
        host.hang_up_on_all()
        await storage.publish("ann", "<Response/>")
        await storage.close()
    assert len(list(tmp_path.iterdir())) == 2
    assert len(host.sent("USER")) == 2


async def test_folder_that_was_removed_in_the_meantime_is_made_again(tmp_path):
    with ftp_host(tmp_path) as host:
        storage = FTPStorage(host.url("/calls"), PUBLIC)
        await storage.delete(await storage.publish("ann", "<Response/>"))
        (tmp_path / "calls").rmdir()
        await storage.publish("ann", "<Response/>")
        await storage.close()
    assert len(list((tmp_path / "calls").iterdir())) == 1


async def test_closing_ends_every_session(tmp_path):
    with ftp_host(tmp_path) as host:
        storage = FTPStorage(host.url(), PUBLIC)
        await asyncio.gather(*(storage.publish("ann", "<Response/>") for _ in range(4)))
        assert host.connected() > 0
        await storage.close()
        wait_until(lambda: host.connected() == 0)


async def test_idle_session_ends_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(ftp_pool, "KEEP_SECONDS", 0.1)
    with ftp_host(tmp_path) as host:
        storage = FTPStorage(host.url(), PUBLIC)
        await storage.publish("ann", "<Response/>")
        wait_until(lambda: host.connected() == 0)
        await storage.publish("ann", "<Response/>")
        await storage.close()
    assert host.sent("QUIT") != []
    assert len(host.sent("USER")) == 2


async def test_failed_login_fails_all_that_waited_for_it(tmp_path):
    with ftp_host(tmp_path, login_seconds=0.5) as host:
        storage = FTPStorage(host.url(login="ann:wrong"), PUBLIC)
        results = await asyncio.gather(
            *(storage.publish("ann", "<Response/>") for _ in range(4)), return_exceptions=True
        )
        await storage.close()
    assert all(isinstance(result, StorageError) for result in results)
    assert len(host.sent("PASS")) < 4


async def test_session_lent_while_the_storage_closes_ends_when_it_comes_back(tmp_path):
    with ftp_host(tmp_path) as host:

        def open_session() -> ftplib.FTP:
            session = ftplib.FTP()  # noqa: S321
            session.connect("127.0.0.1", host.port)
            return session

        pool = FTPPool(open_session)
        lent, go_on = threading.Event(), threading.Event()

        def task(session: ftplib.FTP) -> None:
            lent.set()
            assert go_on.wait(10)

        running = asyncio.create_task(asyncio.to_thread(pool.run, task))
        await asyncio.to_thread(lent.wait, 10)
        pool.close()
        assert host.connected() == 1
        go_on.set()
        await running
        wait_until(lambda: host.connected() == 0)


async def test_new_session_that_fails_is_not_tried_again():
    tried = []

    def open_session() -> ftplib.FTP:
        tried.append(1)
        session = ftplib.FTP()  # noqa: S321
        session.connect("127.0.0.1", free_port())
        return session

    with pytest.raises(ConnectionRefusedError):
        FTPPool(open_session).run(lambda session: None)
    assert len(tried) == 1

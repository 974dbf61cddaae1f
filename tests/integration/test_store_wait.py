"""A store that cannot be opened when the agent starts: the agent keeps running, reports that it waits,
and continues once the store is open."""

import subprocess

import pytest
from realparts import wait_until


@pytest.fixture
def small_disk(tmp_path):
    """A folder with a small file system of its own, which a test can change by `mount -o remount`."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"mounting needs root: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def _remount(folder, options):
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def _expect_waiting(agent, reason):
    status = agent.status()
    assert not status["store"]["open"] and reason in status["store"]["error"]
    assert not status["inputs"]["local"]["connected"]
    assert "NOT OPEN" in agent.run("status").stdout
    assert agent.fetch("/healthz")[0] == 200
    assert agent.fetch("/readyz")[0] == 503
    assert agent.metric("tidegate_store_open") == 0
    assert agent.metric("tidegate_store_open_failures_total") >= 1
    assert "Is " + str(agent.settings["_STORE_DIR"]) in agent.log_text()


def _expect_delivery(site, agent, mosquitto):
    wait_until(lambda: agent.fetch("/readyz")[0] == 200, 60, lambda: f"{agent.status()}", 0.2)
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port)
    publisher.send(50)
    publisher.settle()
    agent.wait_drained(settled=50)
    assert len(site.kafka.read(site.topics["heartbeat"])) == 50
    assert agent.status()["store"]["open"] and agent.metric("tidegate_store_open") == 1


def test_a_read_only_disk_that_becomes_writable(site, mosquitto, small_disk):
    _remount(small_disk, "ro")
    site.create_topics()
    agent = site.agent(mosquitto.port, _STORE_DIR=small_disk / "store").start()
    _expect_waiting(agent, "Read-only file system")
    _remount(small_disk, "rw")
    _expect_delivery(site, agent, mosquitto)
    assert agent.finish() == 0


def test_a_full_disk_that_gets_room(site, mosquitto, small_disk):
    with (small_disk / "others").open("wb") as others:
        others.write(bytes(8 << 20))
        others.truncate((8 << 20) - 8192)  # The folder and the first files fit, but no more.
    site.create_topics()
    agent = site.agent(
        mosquitto.port, _STORE_DIR=small_disk / "store", _STORE_MAX_BYTES="2MiB"
    ).start()
    _expect_waiting(agent, "")
    (small_disk / "others").unlink()
    _expect_delivery(site, agent, mosquitto)
    assert agent.status()["store"]["set_aside_files"] == 0


def test_a_file_where_the_folder_is_to_be(site, mosquitto, tmp_path):
    place = tmp_path / "place"
    place.write_text("in the way")
    site.create_topics()
    agent = site.agent(mosquitto.port, _STORE_DIR=place / "store").start()
    _expect_waiting(agent, str(place))
    place.unlink()
    _expect_delivery(site, agent, mosquitto)


def test_a_wait_that_is_ended_by_a_stop_is_a_clean_exit(site, mosquitto, tmp_path):
    place = tmp_path / "place"
    place.write_text("in the way")
    agent = site.agent(mosquitto.port, _STORE_DIR=place / "store").start()
    _expect_waiting(agent, str(place))
    assert agent.finish() == 0


def test_a_store_in_use_is_no_reason_to_wait(site, mosquitto):
    agent = site.agent(mosquitto.port).start()
    second = site.agent(mosquitto.port, name="second", _STORE_DIR=agent.settings["_STORE_DIR"])
    done = second.run("run")
    assert done.returncode == 1
    assert "another agent uses this store" in done.stderr


def test_a_store_that_turns_out_to_be_in_use_ends_the_wait(site, mosquitto, tmp_path):
    owner = site.agent(mosquitto.port).start()
    place = tmp_path / "place"
    place.write_text("in the way")
    waiting = site.agent(mosquitto.port, name="waiting", _STORE_DIR=place).start()
    _expect_waiting(waiting, str(place))
    place.unlink()
    place.symlink_to(owner.settings["_STORE_DIR"])
    wait_until(lambda: not waiting.alive(), 40, lambda: f"it ended: {waiting.log_text()}", 0.2)
    assert waiting.returncode() == 1
    assert "another agent uses this store" in waiting.log_text()

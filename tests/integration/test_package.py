"""The Debian packages on a fresh Debian 12: configured by drop-in and credential, restarted, upgraded,
removed and purged. Without root, only what systemd says about the units is tested."""

import json
import platform
import re
import shutil
import subprocess

import pytest
from harness.machine import PACKAGES, Machine, need, packages
from harness.programs import ROOT, program_folder
from realparts.server import wait_until

UNITS = ROOT / "packaging" / "systemd"
MOST_EXPOSURE = 2.0
USER, SECRET = "gateway", "correct-horse-battery-staple"
SITE = "/etc/systemd/system/tidegate-{}.service.d/90-site.conf"
SECRETS = "/etc/credstore/tidegate"
INPUT = "mqtt://localhost/fleet/{tenant}/{asset}/heartbeat"
STORE = "/var/lib/tidegate-agent"
LANDING = "/var/lib/tidegate-reader/landing.db"
DEV_BROKER = "/opt/dev-broker"

# debootstrap's minbase contains perl and no Python.
PROBE = r"""#!/usr/bin/perl
use strict;
open(my $file, '<', '/proc/sys/kernel/random/boot_id') or die "boot_id: $!";
die 'boot_id is empty' unless <$file> =~ /^[0-9a-f]{8}-/;
my $ask = "\0" x 512;
syscall(NUMBER, 0, $ask) >= 0 or die "ask the clock: $!";
my $set = pack('L', 0x10) . "\0" x 508;  # ADJ_STATUS
die 'the clock can be set' if syscall(NUMBER, 0, $set) >= 0;
open(my $disk, '>', '/etc/probe') and die '/etc can be written';
"""

pytestmark = pytest.mark.timeout(1500)  # The first run builds the packages and fetches Debian.


class Gateway:
    """A machine with the packages, a mosquitto that requires a password, and Kafka brokers."""

    def __init__(self, machine: Machine):
        self.machine = machine
        self.published = 0

    def start_brokers(self):
        self.machine.run("mosquitto_passwd", "-c", "-b", "/etc/mosquitto/users", USER, SECRET)
        self.machine.run("chown", "mosquitto", "/etc/mosquitto/users")
        shipped = "/usr/share/doc/tidegate-agent/examples/mosquitto.conf"
        self.machine.run("cp", shipped, "/etc/mosquitto/conf.d/gateway.conf")
        self.machine.write(
            "/etc/mosquitto/conf.d/users.conf",
            "allow_anonymous false\npassword_file /etc/mosquitto/users\nlistener 1883 localhost\n",
        )
        self.machine.run("systemctl", "restart", "mosquitto")
        # Its libraries are in its folder, because it may be a build with sanitizers.
        self.machine.run(
            "systemd-run",
            "--unit=kafka",
            "--property=StandardOutput=file:/run/kafka.address",
            f"--setenv=LD_LIBRARY_PATH={DEV_BROKER}",
            "--setenv=ASAN_OPTIONS=detect_leaks=0",
            f"{DEV_BROKER}/tidegate-dev-broker",
        )
        self.kafka = wait_until(
            lambda: self.machine.run("cat", "/run/kafka.address", check=False).stdout.strip(),
            20,
            lambda: self.machine.journal("kafka"),
        )

    def kafka_away(self):
        self.machine.run("systemctl", "kill", "--signal=USR1", "kafka")

    def configure(self):
        machine = self.machine
        machine.write(f"{SECRETS}/username", USER, "600")
        machine.write(f"{SECRETS}/password", SECRET, "600")
        machine.write(
            SITE.format("agent"),
            "[Service]\n"
            f"Environment=TIDEGATE_INPUT_LOCAL={INPUT}\n"
            'Environment="TIDEGATE_RULE_HOT=temperature_c > 50 clear 48 severity critical"\n'
            f"Environment=TIDEGATE_KAFKA_BOOTSTRAP_SERVERS={self.kafka}\n"
            f"LoadCredential=input.local.username:{SECRETS}/username\n"
            f"LoadCredential=input.local.password:{SECRETS}/password\n"
            "WatchdogSec=3\n",
        )
        machine.write(
            SITE.format("reader"),
            f"[Service]\nEnvironment=TIDEGATE_KAFKA_BOOTSTRAP_SERVERS={self.kafka}\n"
            "Environment=TIDEGATE_KAFKA_AUTO_OFFSET_RESET=earliest\n",
        )
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "restart", "tidegate-agent", "tidegate-reader")
        self.wait_connected()

    def status(self) -> dict:
        done = self.machine.run("tidegate-agent", "status", "--json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def status_text(self) -> str:
        """Returns STATUS=, which the agent sends to systemd every few seconds."""
        return self.machine.show("tidegate-agent", "StatusText")

    def connected(self) -> bool:
        return self.status().get("inputs", {}).get("local", {}).get("connected", False)

    def wait_connected(self):
        wait_until(self.connected, 30, lambda: self.machine.journal("tidegate-agent"), 0.2)

    def backlog(self) -> int:
        return sum(self.status().get("store", {}).get("records", {}).values())

    def received(self) -> int:
        return self.status()["inputs"]["local"]["settled"]

    def publish(self, count: int, temperature: float = 20):
        lines = []
        for n in range(self.published, self.published + count):
            at = f"2026-11-21T04:{n // 60 % 60:02d}:{n % 60:02d}.000Z"
            lines.append(json.dumps({"timestamp": at, "n": n, "temperature_c": temperature}))
        self.published += count
        login = ["-u", USER, "-P", SECRET]
        topic = ["-t", "fleet/acme/truck-1/heartbeat"]
        self.machine.run(
            "mosquitto_pub", *login, *topic, "-q", "1", "-l", text="\n".join(lines) + "\n"
        )

    def landed(self, table: str) -> int:
        count = f'SELECT count(*) FROM "tidegate.{table}"'
        done = self.machine.run("sqlite3", "-readonly", LANDING, count, check=False)
        return int(done.stdout or 0)

    def journals(self) -> str:
        return "\n".join(self.machine.journal(f"tidegate-{name}") for name in ("agent", "reader"))

    def agent_pid(self) -> int:
        return int(self.machine.show("tidegate-agent", "MainPID"))

    def wait_restarted(self, pid: int, seconds: float):
        def again() -> bool:
            active = self.machine.show("tidegate-agent", "ActiveState") == "active"
            return active and self.agent_pid() not in (0, pid)

        wait_until(again, seconds, lambda: self.machine.journal("tidegate-agent"), 0.1)
        self.wait_connected()


@pytest.fixture
def machine(tmp_path):
    need("systemd-nspawn", "debootstrap")
    made = Machine(tmp_path, packages())
    broker = program_folder() / "tidegate-dev-broker"
    kept = tmp_path / "dev-broker"
    kept.mkdir()
    shutil.copy(broker, kept)
    for library in re.findall(r"=> (/\S+)", subprocess.check_output(["ldd", broker], text=True)):
        # glibc must be the container's, like the dynamic loader.
        if not re.search(r"/(libc|libm|libdl|libpthread|librt|libresolv)\.so", library):
            shutil.copy(library, kept)
    try:
        made.boot(f"{kept}:{DEV_BROKER}")
        made.run("dpkg", "--install", *made.debs)  # The root has their dependencies.
        yield made
    finally:
        made.close()


@pytest.fixture
def gateway(machine):
    made = Gateway(machine)
    made.start_brokers()
    made.configure()
    return made


def exposure(machine: Machine, unit: str) -> float:
    said = machine.output("systemd-analyze", "security", "--no-pager", unit)
    return float(re.search(r"Overall exposure level .*: ([0-9.]+)", said).group(1))


@pytest.mark.parametrize("name", ["agent", "reader"])
def test_units_are_sound_and_hardened(name, tmp_path):
    """This test needs neither root nor the packages."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    unit = tmp_path / f"tidegate-{name}.service"
    text = (UNITS / unit.name).read_text()
    unit.write_text(text.replace(f"/usr/bin/tidegate-{name} run", "/bin/true"))
    threshold = f"--threshold={MOST_EXPOSURE * 10:g}"
    for words in (["verify", "--man=no"], ["security", "--offline=yes", threshold]):
        command = ["systemd-analyze", "--no-pager", *words, unit]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    # With the first the agent could not tell one boot from another; with the second it would take
    # every clock for unsynchronised.
    if name == "agent":
        assert not re.search("^(ProcSubset=pid|ProtectClock=yes)", text, re.MULTILINE)


def test_lintian_has_no_complaint():
    need("lintian")
    packages()
    command = ["lintian", "--allow-root", "--fail-on=error,warning", *PACKAGES.glob("*.changes")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_heartbeats_pass_through_installed_packages(gateway):
    machine = gateway.machine
    gateway.publish(300)
    gateway.publish(1, temperature=60)
    wait_until(lambda: gateway.landed("heartbeats") == 301, 60, gateway.journals, 0.3)
    wait_until(lambda: gateway.landed("alerts") == 1, 30, "the alert landed", 0.3)
    for unit in ("tidegate-agent", "tidegate-reader"):
        assert machine.show(unit, "ActiveState") == "active"
        assert machine.show(unit, "NRestarts") == "0"
        assert exposure(machine, f"{unit}.service") <= MOST_EXPOSURE
    said = re.compile("0 records behind.*inputs 1/1 connected")
    wait_until(lambda: said.search(gateway.status_text()), 20, gateway.status_text, 0.5)


def test_secrets_show_nowhere(gateway):
    machine = gateway.machine
    gateway.publish(1)
    seen = machine.output("systemctl", "show", "tidegate-agent")
    seen += machine.journal("tidegate-agent") + json.dumps(gateway.status())
    seen += machine.output("sh", "-c", f"tr '\\0' '\\n' </proc/{gateway.agent_pid()}/environ")
    credentials = {
        "input.local.username": "username",
        "input.local.password": "password",
        "kafka.sasl.password": "password",
    }
    checked = machine.output(
        *["systemd-run", "--quiet", "--pipe", "--wait", "--collect"],
        *(f"-pLoadCredential={name}:{SECRETS}/{file}" for name, file in credentials.items()),
        f"--setenv=TIDEGATE_INPUT_LOCAL={INPUT}",
        f"--setenv=TIDEGATE_KAFKA_BOOTSTRAP_SERVERS={gateway.kafka}",
        *["tidegate-agent", "check"],
    )
    assert "kafka.sasl.password" in checked
    assert SECRET not in seen + checked


def test_an_operator_of_the_group_asks_for_status_and_checks_the_drop_ins(gateway):
    machine = gateway.machine
    machine.run("useradd", "ann", "--groups=tidegate-agent")
    machine.run("useradd", "stranger")
    ask = ["--", "tidegate-agent", "status"]
    assert "connected" in machine.output("runuser", "-u", "ann", *ask)
    assert machine.run("runuser", "-u", "stranger", *ask, check=False).returncode == 1
    # tidegate-agent(1) documents this command.
    environment = "$(systemctl show --value -p Environment tidegate-agent)"
    checked = machine.output("sh", "-c", f'eval "env {environment} tidegate-agent check"')
    assert "temperature_c > 50 clear 48 severity critical" in checked


def test_the_agent_comes_back_after_kill_and_hang(gateway):
    machine = gateway.machine
    pid = gateway.agent_pid()
    machine.run("systemctl", "kill", "--signal=KILL", "tidegate-agent")
    gateway.wait_restarted(pid, 10)
    pid = gateway.agent_pid()
    machine.run("systemctl", "kill", "--signal=STOP", "tidegate-agent")
    gateway.wait_restarted(pid, 20)  # The drop-in has set the watchdog to 3 seconds.
    assert machine.show("tidegate-agent", "NRestarts") == "2"
    assert "watchdog" in machine.journal("tidegate-agent").lower()
    gateway.publish(10)
    wait_until(lambda: gateway.landed("heartbeats") == 10, 60, "ten landed", 0.3)


def test_a_wrong_setting_is_told_once_and_not_tried_again(gateway):
    machine = gateway.machine
    wrong = SITE.format("agent").replace("90-site", "95-wrong")
    machine.write(wrong, "[Service]\nEnvironment=TIDEGATE_TENNANT=acme\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "tidegate-agent", check=False)
    wait_until(lambda: machine.show("tidegate-agent", "ActiveState") == "failed", 10, "it failed")
    assert machine.show("tidegate-agent", "ExecMainStatus") == "2"
    assert "TIDEGATE_TENANT" in machine.journal("tidegate-agent")


def test_the_sandbox_shows_the_boot_id_and_the_state_of_the_clock(machine):
    """The probe runs as ExecStartPre= of the unit, under all of its restrictions."""
    number = {"x86_64": 305, "aarch64": 266}.get(platform.machine())
    if number is None:
        pytest.skip("the number of clock_adjtime is not known on this machine")
    machine.write("/usr/local/bin/probe", PROBE.replace("NUMBER", str(number)), "755")
    machine.write(SITE.format("agent"), "[Service]\nExecStartPre=/usr/local/bin/probe\n")
    machine.run("systemctl", "daemon-reload")
    done = machine.run("systemctl", "restart", "tidegate-agent", check=False)
    assert done.returncode == 0, machine.journal("tidegate-agent")


def test_upgrade_and_removal_keep_the_backlog_and_purge_deletes_it(gateway):
    machine = gateway.machine
    gateway.kafka_away()
    gateway.publish(500)
    wait_until(lambda: gateway.backlog() == 500, 30, lambda: f"{gateway.status()}", 0.2)
    pid = gateway.agent_pid()
    machine.run("apt-get", "install", "-y", "-q", "--reinstall", *machine.debs)
    gateway.wait_restarted(pid, 30)
    assert gateway.backlog() == 500

    machine.run("apt-get", "remove", "-y", "-q", "tidegate-agent")
    assert not machine.exists("/usr/bin/tidegate-agent")
    assert machine.exists(STORE)
    machine.run("apt-get", "install", "-y", "-q", *machine.debs)
    gateway.wait_connected()
    assert gateway.backlog() == 500

    said = machine.output("apt-get", "purge", "-y", "-q", "tidegate-agent", "tidegate-reader")
    assert f"Deleting {STORE}" in said
    assert not machine.exists(STORE) and not machine.exists("/var/lib/tidegate-reader")
    assert machine.exists(SITE.format("agent"))

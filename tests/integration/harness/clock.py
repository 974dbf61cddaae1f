"""The wall clock of a program under test, which a test can set while the program runs. The shim of
tests/support/clock_shim is preloaded, so only that program sees the change. The time since boot is
always the machine's."""

import os
import time
from pathlib import Path

from .programs import SANITIZER, program_folder


class WallClock:
    def __init__(self, folder: Path):
        self._file = folder / "wall-clock"
        self._milliseconds = 0
        self.set_right()

    def settings(self) -> dict[str, object]:
        """Returns the settings that the program's environment needs."""
        shim = program_folder().parent / "tests" / "clock_shim.so"
        assert shim.exists(), f"{shim} is not built: cmake --build --preset dev --target clock_shim"
        # AddressSanitizer refuses to start if its library is not the first that is loaded.
        asan = f"{SANITIZER['ASAN_OPTIONS']}:verify_asan_link_order=0"
        return {"LD_PRELOAD": shim, "CLOCK_SHIM_FILE": self._file, "ASAN_OPTIONS": asan}

    def set_right(self, synced: bool = True):
        self._write(0, synced)

    def set_to(self, unix_seconds: float, synced: bool = False):
        self._write(round((unix_seconds - time.time()) * 1000), synced)

    def step(self, seconds: float):
        """Moves the clock and marks it as not synchronised, as the kernel does when a clock is set."""
        self._write(self._milliseconds + round(seconds * 1000), False)

    def _write(self, milliseconds: int, synced: bool):
        self._milliseconds = milliseconds
        made = self._file.with_suffix(".new")
        made.write_text(f"{milliseconds} {'synced' if synced else 'unsynced'}\n")
        os.replace(made, self._file)

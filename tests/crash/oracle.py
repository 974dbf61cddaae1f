"""Records every obligation: what was acknowledged to its source must be found at the end, or a gap
record must declare it; what is missing otherwise is lost. store_oracle.h does the same in C++."""

import threading
from collections import defaultdict


class Oracle:
    """The obligations of one campaign. Any hashable value can name an obligation. promise() and
    fault() may be called from any thread, the rest from one."""

    def __init__(self, campaign: str, seed: int):
        self.campaign = campaign
        self.seed = seed
        self.faults = 0
        self.gaps = 0
        self._promised: set = set()
        self._identities: dict = defaultdict(set)
        self._sightings = 0
        self._lock = threading.Lock()

    def fault(self):
        with self._lock:
            self.faults += 1

    def promise(self, obligations):
        """Records obligations that were acknowledged."""
        with self._lock:
            self._promised |= set(obligations)

    def forget_found(self):
        """Forgets all calls of found() and gap(), so that the caller can count again."""
        self._identities.clear()
        self._sightings = 0
        self.gaps = 0

    def found(self, obligation, identity):
        """Records that an obligation was found as the document or record with this identity. The
        same identity twice is one document; two identities are a double."""
        self._identities[obligation].add(identity)
        self._sightings += 1

    def gap(self, records: int):
        """Records that a gap record declares this number of records."""
        self.gaps += records

    @property
    def acknowledged(self) -> int:
        return len(self._promised)

    @property
    def missing(self) -> set:
        return self._promised - self._identities.keys()

    @property
    def lost(self) -> int:
        return max(0, len(self.missing) - self.gaps)

    @property
    def doubled(self) -> set:
        return {name for name, seen in self._identities.items() if len(seen) > 1}

    @property
    def repeated(self) -> int:
        """How often something was found again under the same identity, which is harmless."""
        return self._sightings - sum(len(seen) for seen in self._identities.values())

    def line(self) -> str:
        return (
            f"{self.campaign}: faults {self.faults}, records acknowledged {self.acknowledged}, "
            f"lost {self.lost}, doubled {len(self.doubled)}, gaps declared {self.gaps} "
            f"(seed {self.seed})"
        )

    def expect_nothing_lost_or_doubled(self):
        assert not self.lost, f"lost: {sorted(self.missing)[:10]} ... {self.line()}"
        assert not self.doubled, f"doubled: {sorted(self.doubled)[:10]} ... {self.line()}"

"""Keeps every obligation: what was acknowledged to its source must be found at the end, or a gap
record must tell of it; anything else that is missing is a loss. The twin of store_oracle.h."""

import threading
from collections import defaultdict


class Oracle:
    """One campaign's books. Obligations are named by anything that can be hashed; `promise`, `fault`
    may be called from any thread."""

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
        """They have been acknowledged."""
        with self._lock:
            self._promised |= set(obligations)

    def forget_found(self):
        """The counting begins anew."""
        self._identities.clear()
        self._sightings = 0
        self.gaps = 0

    def found(self, obligation, identity):
        """It is there, as the document or record of that identity. One identity is one document
        however often it is seen."""
        self._identities[obligation].add(identity)
        self._sightings += 1

    def gap(self, records: int):
        """A gap record tells of so many."""
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
        """How often something was there again under the same identity: no harm, only work."""
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

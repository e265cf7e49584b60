"""A profile beside the budget of a target and beside its plan: what ``edgekit profile`` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit import config
from edgekit.profile.judge import Compared, Row, against_plan, bandwidth_shares, judge
from edgekit.profile.record import Profile
from edgekit.target import Target


@dataclass(frozen=True)
class JudgedProfile:
    """A judged profile is held against the budget of ``target``."""

    profile: Profile
    target: Target

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every limit of the budget, with what was measured."""
        return judge(self.profile, self.target)

    @property
    def broken(self) -> tuple[Row, ...]:
        """The limits that were broken."""
        return tuple(row for row in self.rows if not row.passed)

    @property
    def fits(self) -> bool:
        """Whether no limit was broken."""
        return not self.broken

    @property
    def compared(self) -> tuple[Compared, ...]:
        """What was planned beside what was measured."""
        return against_plan(self.profile)

    @property
    def bandwidth_shares(self) -> tuple[float, ...]:
        """For each count of rows, the share of the memory's bandwidth that its steps used."""
        return bandwidth_shares(self.profile, self.target)

    def document(self) -> dict[str, Any]:
        """Return a profile as JSON has it; the first four keys are fixed, scripts read them."""
        profile = self.profile
        record = config.dump(profile)
        return {
            "fits": self.fits,
            "static_bytes": profile.static_bytes,
            "dynamic_bytes": profile.dynamic_bytes,
            "components": record.pop("components"),
            "budget": [{**config.dump(row), "passed": row.passed} for row in self.rows],
            "planned": [{**config.dump(figure), "error": round(figure.error, 4)} for figure in self.compared],
            **{name: value for name, value in record.items() if name not in ("planned", "moments")},
            "bandwidth_shares": [round(share, 4) for share in self.bandwidth_shares],
            "fingerprint": profile.device.fingerprint,
        }

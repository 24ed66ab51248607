"""What a replay tells when it is over: how many of what, and how long people waited."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field


@dataclass
class Percentiles:
    """Milliseconds."""

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Percentiles":
        ordered = sorted(seconds)
        if not ordered:
            return cls()
        return cls(
            *(
                round(ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000, 1)
                for share in (0.5, 0.95, 0.99)
            )
        )

    def __str__(self) -> str:
        return f"p50 {self.p50} ms, p95 {self.p95} ms, p99 {self.p99} ms"


@dataclass
class Report:
    sent: int = 0
    acknowledged: int = 0
    failed: int = 0  # no acknowledgement; the first reasons are in `remarks`
    lost: int = 0
    doubled: int = 0
    unsettled: int = 0
    repeated: int = 0  # posted twice with one key, on purpose
    agents_online: int = 0
    offers_made: int = 0
    offers_seen: int = 0
    offers_unseen: int = 0
    accepted: int = 0
    too_late: int = 0  # a rival was faster, or the deadline had passed
    missed: int = 0  # offers that ran out
    states: dict[str, int] = field(default_factory=dict)
    reconnections: int = 0
    seconds: float = 0.0
    post: Percentiles = field(default_factory=Percentiles)
    post_to_offer: Percentiles = field(default_factory=Percentiles)
    remarks: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Everything that was sent was acknowledged and is there once, and every offer was seen."""
        wrong = self.failed + self.lost + self.doubled + self.unsettled + self.offers_unseen
        return not wrong and self.sent == self.acknowledged > 0

    def remark(self, sentence: str) -> None:
        if len(self.remarks) < 20:
            self.remarks.append(sentence)

    def as_json(self) -> str:
        return json.dumps({"good": self.good, **asdict(self)}, ensure_ascii=False)

    def __str__(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        lines = {
            "tickets": f"{self.sent} sent in {self.seconds:.1f} s, {self.acknowledged} acknowledged, {self.failed} failed, "
            f"{self.lost} lost, {self.doubled} doubled, {self.unsettled} unsettled",
            "states": states,
            "keys": f"{self.repeated} texts posted twice with one key",
            "offers": f"{self.offers_made} made, {self.offers_seen} seen on a socket, {self.offers_unseen} not seen; "
            f"{self.accepted} accepted, {self.too_late} too late, {self.missed} missed",
            "agents": f"{self.agents_online} online, {self.reconnections} reconnections",
            "POST": str(self.post),
            "to offer": f"{self.post_to_offer} (POST sent to first frame of an offer)",
        }
        rows = [*lines.items(), *(("remark", remark) for remark in self.remarks)]
        told = [f"{name:<9} {line}" for name, line in rows]
        return "\n".join([*told, "all is well" if self.good else "NOT WELL"])

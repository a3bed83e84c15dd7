"""What customers do: browse, log in, look at their subscriptions, subscribe, cancel. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

PASSWORD: Final = "cutover-demo"  # noqa: S105 - of the seeded accounts, as legacy_php/README.md says


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a customer; `kind` groups requests in the tour's tables."""

    kind: str
    method: str
    path: str
    body: dict[str, Any] | None = None


@dataclass(slots=True)
class Customer:
    """One person with a cookie jar, who remembers what the application said."""

    user_id: int
    chance: Random
    cookies: dict[str, str] = field(default_factory=dict)
    email: str | None = None
    logged_in: bool = False
    busy: bool = False
    subscriptions: list[int] = field(default_factory=list)

    def next_step(self) -> Step:
        """Choose what to do now; mostly reading, as people do."""
        draw = self.chance.random()
        if draw < 0.55:
            return Step("plans", "GET", "/api/plans")
        if draw < 0.67:
            return Step("plan", "GET", f"/api/plans/{self.chance.randint(1, 4)}")
        if self.email is None:
            return Step("profile", "GET", f"/api/users/{self.user_id}")
        if not self.logged_in:
            return Step("login", "POST", "/api/login", {"email": self.email, "password": PASSWORD})
        return self._at_home(draw)

    def _at_home(self, draw: float) -> Step:
        if draw < 0.78:
            return Step("subscriptions", "GET", f"/api/subscriptions?user_id={self.user_id}")
        if draw < 0.90:
            return Step("history", "GET", f"/api/billing/history?user_id={self.user_id}")
        if draw < 0.95 or not self.subscriptions:
            body = {"user_id": self.user_id, "plan_id": self.chance.randint(1, 4)}
            return Step("subscribe", "POST", "/api/subscriptions", body)
        chosen = self.chance.choice(self.subscriptions)
        return Step("cancel", "POST", f"/api/subscriptions/{chosen}/cancel")

    def learn(self, step: Step, status: int, answer: Any) -> None:
        """Remember what an answer said."""
        data = answer.get("data") if isinstance(answer, dict) else None
        if status >= 400 or data is None:
            return
        if step.kind == "profile" and isinstance(data, dict):
            self.email = str(data["email"])
        elif step.kind == "login":
            self.logged_in = True
        elif step.kind == "subscriptions" and isinstance(data, list):
            self.subscriptions = [row["id"] for row in data if row["status"] == "active"]


def crowd(size: int, seed: int) -> list[Customer]:
    """Make `size` customers, each with chances of their own; the same seed makes the same crowd."""
    dice = Random(seed)  # noqa: S311 - a seeded crowd
    users = dice.sample(range(1, 2001), size)
    return [Customer(user, Random(dice.getrandbits(64))) for user in users]  # noqa: S311 - as above

"""What an operator typed into a form, checked and turned into values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import parse_qsl

from starlette.requests import Request

from proxy.admin.members import AUTHOR_MAX, REASON_MAX, parse_day, parse_weight, sentence_trouble
from proxy.admin.principal import current

BODY_MAX = 16_384
FIELDS_MAX = 96

_LABELS = {"reason": "The reason", "author": "Your name"}


class FormError(Exception):
    """A form cannot be used; the text says why and what to do, `code` is the HTTP status."""

    def __init__(self, text: str, code: int = 422) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a posted form as they were typed."""

    fields: Mapping[str, str] = field(default_factory=dict)
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def typed(self) -> dict[str, str]:
        """What is shown in the form again; of a name that came more than once all, line by line."""
        lines: dict[str, list[str]] = {}
        for name, value in self.pairs:
            lines.setdefault(name, []).append(value)
        return {**self.fields, **{name: "\n".join(values) for name, values in lines.items()}}

    def texts(self, name: str) -> tuple[str, ...]:
        """All values of a field, each once."""
        return tuple(dict.fromkeys(value for found, value in self.pairs if found == name))

    def text(self, name: str) -> str:
        """A field without surrounding blanks; empty when missing."""
        return self.fields.get(name, "").strip()

    def reason(self) -> str:
        """Why the change is made. Raises FormError when it is empty or cannot be put on record."""
        return self._sentence("reason", REASON_MAX)

    def author(self) -> str:
        """Who makes the change: the account, else the name typed. Raises FormError for none."""
        return current().name or self._sentence("author", AUTHOR_MAX)

    def weight(self) -> int:
        """The wanted weight in hundredths of a percent. Raises FormError when it is not one."""
        wanted = parse_weight(self.text("weight"))
        if wanted is None:
            raise FormError("The weight is a percentage from 0 to 100, such as 10 or 12.5.")
        return wanted

    def day(self, name: str) -> date:
        """A day, as a date field gives it. Raises FormError when it is not one."""
        found = parse_day(self.text(name))
        if found is None:
            raise FormError("The last day is a date, such as 2027-03-01.")
        return found

    def expected_version(self) -> int | None:
        """The version the operator was looking at; None when the form does not say."""
        text = self.text("expected_version")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None

    def _sentence(self, name: str, longest: int) -> str:
        text = self.text(name)
        trouble = sentence_trouble(_LABELS[name], text, longest)
        if trouble:
            raise FormError(f"{trouble.where} {trouble.detail}. {trouble.mend}".rstrip())
        return text


async def read_form(request: Request, most: int = BODY_MAX) -> Form:
    """Read an urlencoded body. Raises FormError when it is something else, or too large."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise FormError("This address takes forms only; scripts use the API below /api/v1.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise FormError(f"The form is larger than {most:,} bytes.", code=413)
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            max_num_fields=FIELDS_MAX,
            errors="strict",
        )
    except ValueError as error:
        raise FormError("The form is not readable text.") from error
    return Form(dict(pairs), tuple(pairs))

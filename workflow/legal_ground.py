"""By which authority, for what, on which article and in which file a question is asked."""

from __future__ import annotations

from dataclasses import dataclass, fields

from workflow.errors import MissingLegalGround

#: Longest value of each field, characters; the columns of the audit log are as wide.
_LONGEST = {"authority": 128, "purpose": 256, "legal_basis": 256, "file_number": 128}


@dataclass(frozen=True, slots=True)
class LegalGround:
    """The four things without which no police question is answered, each in the asker's words.

    authority: who asks. purpose: what for. legal_basis: the article that allows it. file_number: their case.
    """

    authority: str
    purpose: str
    legal_basis: str
    file_number: str

    def __post_init__(self) -> None:
        """Name everything that is missing or unusable at once."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        missing = [name for name, value in values.items() if not value.strip()]
        if missing:
            raise MissingLegalGround(f"the request lacks: {', '.join(missing)}. Each is needed, in words.")
        for name, value in values.items():
            if len(value) > _LONGEST[name] or not value.isprintable():
                raise MissingLegalGround(f"{name} must be 1 to {_LONGEST[name]} printable characters")

    @classmethod
    def of(
        cls,
        *,
        authority: str | None,
        purpose: str | None,
        legal_basis: str | None,
        file_number: str | None,
    ) -> LegalGround:
        """Take what a request may have left out."""
        return cls(authority or "", purpose or "", legal_basis or "", file_number or "")

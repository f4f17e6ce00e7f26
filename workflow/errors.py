"""What the office refuses: leaves of the tree in `matcher.errors`.

FingerprintError
└── WorkflowRefused              a rule of the office says no
    ├── InvalidDecision          a judgement that lacks examiner or reason
    ├── UnknownLink              no such link or judgement in the ledger
    ├── AlreadyWithdrawn         the judgement was withdrawn before, or there is none to withdraw
    ├── FailureToEnroll          no finger of the capture gave a template
    ├── MissingLegalGround       a police request without authority, purpose, legal basis or file number
    ├── InvalidSession           attempts of a capture session that cannot be judged
    ├── InvalidCategory          no EURODAC category of that digit, or not one we may store
    └── ExportRefused            the export folder or a batch is not as it was left
"""

from __future__ import annotations

from matcher.errors import FingerprintError


class WorkflowRefused(FingerprintError):  # noqa: N818 - named for what it is, as the whole tree
    """A rule of the office says no."""

    code = "workflow_refused"


class InvalidDecision(WorkflowRefused):
    """A judgement lacks examiner or reason."""

    code = "invalid_decision"


class UnknownLink(WorkflowRefused):
    """The ledger has no such link or judgement."""

    code = "unknown_link"


class AlreadyWithdrawn(WorkflowRefused):
    """There is no standing judgement to withdraw."""

    code = "already_withdrawn"


class FailureToEnroll(WorkflowRefused):
    """No finger of the capture gave a template; nothing was stored."""

    code = "failure_to_enroll"


class MissingLegalGround(WorkflowRefused):
    """The request does not say by which authority, for what and on which ground it is made."""

    code = "missing_legal_ground"


class InvalidCategory(WorkflowRefused):
    """The category is not one under which a person's prints may be stored and sent."""

    code = "invalid_category"


class InvalidSession(WorkflowRefused):
    """A capture session without attempts, with too many, or of fingers without a name."""

    code = "invalid_session"


class ExportRefused(WorkflowRefused):
    """The export folder or a batch is not as it was left."""

    code = "export_refused"

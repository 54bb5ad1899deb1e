"""One door to the accounts: whoever asks is answered by the rules of their kind. Pure."""

from agent.accounting import bound, connect
from agent.accounting.connect import Table
from agent.accounting.derivation import Derivation
from agent.accounting.question import Question
from shared.model import Kind
from shared.ports import PortSettings


def derive(question: Question, settings: PortSettings, table: Table) -> Derivation:
    """Account for `question`; `table` holds the sockets of its protocol on ports of the range."""
    if question.kind is Kind.CONNECT:
        return connect.derive(question, settings, table)
    return bound.derive(question, settings, table)


def worth_probing(question: Question, settings: PortSettings, table: Table) -> set[int]:
    """Ports whose bucket could change the account; of UDP all is in the dump."""
    match question.kind:
        case Kind.CONNECT:
            return connect.worth_probing(question, settings, table)
        case Kind.BIND:
            return bound.worth_probing(question, settings, table)
    return set()

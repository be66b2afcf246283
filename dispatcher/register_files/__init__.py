"""A booking system's register export, CSV or XLSX, read row by row: columns by name, each refusal in its place.

The import is an allow-list (L-43): names, addresses, language, last visit and the replies to the marketing question.
Treatments, notes and every column nobody named are dropped unread and listed; nothing about age or health has a field.
"""

from dispatcher.register_files.export import RegisterFile, open_register
from dispatcher.register_files.leavers import System
from dispatcher.register_files.mapping import (
    DEFAULT_COLUMNS,
    NO_WORDS,
    NOT_ASKED_WORDS,
    WITHDRAWN_WORDS,
    YES_WORDS,
    AnswerColumn,
    Basis,
    Field,
    RegisterMap,
    header_key,
)
from dispatcher.register_files.no_list import NoLine, NoList, open_no_list
from dispatcher.register_files.questions import RowAnswer
from dispatcher.register_files.rows import RegisterRow, RejectedRow, RowNames

__all__ = [
    "DEFAULT_COLUMNS",
    "NOT_ASKED_WORDS",
    "NO_WORDS",
    "WITHDRAWN_WORDS",
    "YES_WORDS",
    "AnswerColumn",
    "Basis",
    "Field",
    "NoLine",
    "NoList",
    "RegisterFile",
    "RegisterMap",
    "RegisterRow",
    "RejectedRow",
    "RowAnswer",
    "RowNames",
    "System",
    "header_key",
    "open_no_list",
    "open_register",
]

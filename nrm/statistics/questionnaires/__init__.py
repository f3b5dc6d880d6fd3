"""Answers to those who ask: questionnaires as data files, each row answered from one cell.

They are answered in English, the language of the bodies that ask.
"""

from nrm.statistics.questionnaires.answers import NOTE, Answer, Answered, State, fill
from nrm.statistics.questionnaires.template import (
    Questionnaire,
    QuestionnaireError,
    Row,
    Section,
    load,
    names,
    read,
)

__all__ = [
    "NOTE",
    "Answer",
    "Answered",
    "Questionnaire",
    "QuestionnaireError",
    "Row",
    "Section",
    "State",
    "fill",
    "load",
    "names",
    "read",
]

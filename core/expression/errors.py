"""What can go wrong with an expression: when it is checked, and when it runs."""

from __future__ import annotations

from core.errors import TesseraError


class ExpressionError(TesseraError):
    """An expression is not understood; `column` counts characters from 1, `suggestion` is a name that was meant."""

    def __init__(self, message: str, column: int = 1, suggestion: str | None = None) -> None:
        self.message = message
        self.column = column
        self.suggestion = suggestion
        super().__init__(f'{message} (did you mean "{suggestion}"?)' if suggestion else message)


class EvaluationError(TesseraError):
    """A checked expression cannot be evaluated in Python over what it was given."""

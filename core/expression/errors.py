"""What can go wrong with an expression: when it is checked, and when it runs."""

from __future__ import annotations

from core.errors import TesseraError, Words, words


class ExpressionError(TesseraError):
    """An expression is not understood; `column` counts characters from 1, `suggestion` is a name that was meant.

    `words` is what people read in their language, `message` its English without the suggestion. `own` is true of a
    mistake in a query or named function that is called: it is told where that stands.
    """

    def __init__(self, message: str | Words, column: int = 1, suggestion: str | None = None, *, own: bool = False,
                 **params: object) -> None:
        said = Words(message, params) if isinstance(message, str) else message
        self.message = str(said)
        self.column = column
        self.suggestion = suggestion
        self.own = own
        self.words = words('{problem} (did you mean "{name}"?)', problem=said, name=suggestion) if suggestion else said
        super().__init__(str(self.words))


class EvaluationError(TesseraError):
    """A checked expression cannot be evaluated in Python over what it was given."""

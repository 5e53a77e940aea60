"""The one expression language: checked against a Scope, evaluated in Python, compiled to SQL through Columns."""

from core.expression.check import Over, check
from core.expression.errors import EvaluationError, ExpressionError
from core.expression.expression import Expression, holds, is_true, passes
from core.expression.functions import BUILT_IN, Functions, functions
from core.expression.functions.base import Function, Parameter
from core.expression.scope import (
    Argument,
    Columns,
    Conditions,
    Environment,
    NamedFunction,
    Related,
    Scope,
    SetQuery,
)
from core.expression.sql import sql_type

__all__ = [
    "BUILT_IN", "Argument", "Columns", "Conditions", "Environment", "EvaluationError", "Expression", "ExpressionError",
    "Function", "Functions", "NamedFunction", "Over", "Parameter", "Related", "Scope", "SetQuery", "check", "functions",
    "holds", "is_true", "passes", "sql_type",
]

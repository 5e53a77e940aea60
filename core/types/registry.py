"""The built-in types by name; addons add theirs through the hook `field_types`."""

from __future__ import annotations

from typing import Any

from core.types.any_link import AnyLinkType
from core.types.base import FieldType
from core.types.boolean import BooleanType
from core.types.choice import ChoiceType
from core.types.color import ColorType
from core.types.date import DateType
from core.types.datetime import DatetimeType
from core.types.decimal import DecimalType
from core.types.document import DocumentType
from core.types.duration import DurationType
from core.types.email import EmailType
from core.types.expression import ExpressionType
from core.types.fax import FaxType
from core.types.field import FieldNameType
from core.types.file import FileType
from core.types.float import FloatType
from core.types.html import HtmlType
from core.types.image import ImageType
from core.types.integer import IntegerType
from core.types.json import JsonType
from core.types.lines import LinesType
from core.types.link import LinkType
from core.types.links import LinksType
from core.types.memo import MemoType
from core.types.money import MoneyType
from core.types.percent import PercentType
from core.types.phone import PhoneType
from core.types.rating import RatingType
from core.types.sequence import SequenceType
from core.types.state import StateType
from core.types.table import TableNameType
from core.types.tags import TagsType
from core.types.text import TextType
from core.types.time import TimeType
from core.types.url import UrlType

BUILT_IN: tuple[FieldType[Any], ...] = (
    TextType(), MemoType(), IntegerType(), DecimalType(), MoneyType(), PercentType(), BooleanType(),
    DateType(), DatetimeType(), ChoiceType(), LinkType(), LinesType(), EmailType(), PhoneType(), UrlType(),
    SequenceType(), FileType(), StateType(), ExpressionType(), HtmlType(), FloatType(), TimeType(), DurationType(),
    FaxType(), ColorType(), RatingType(), TagsType(), ImageType(), DocumentType(), JsonType(),
    AnyLinkType(), LinksType(), TableNameType(), FieldNameType())


def registry() -> dict[str, FieldType[Any]]:
    """The built-in types, by name."""
    return {kind.name: kind for kind in BUILT_IN}

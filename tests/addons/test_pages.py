"""What pages make of the addons' fields."""

from __future__ import annotations

from types import SimpleNamespace

from core.web.binding import bind
from core.web.list_view import list_view
from core.web.widgets import widget_of
from tests.addons.conftest import As


def test_an_amount_says_its_currency_where_it_is_not_the_organisations(acting: As) -> None:
    records = acting("marta")
    system = records.session.system
    view = list_view(system, "opportunity", "opportunity", "en", records.readable("opportunity"), "test")
    assert "currency" in view.fields
    deals = records.page("opportunity", view.fields, "amount > 480000", order=["amount"]).records
    amount = next(column for column in view.columns if column.path == "amount")
    viewer = SimpleNamespace(locale=SimpleNamespace(language="en", zone="UTC"))
    assert [amount.cell(deal, viewer) for deal in deals] == [
        '<span>486,000.00\u202f<span class="t-unit">CNY</span></span>',
        '<span>1,280,000.00\u202f<span class="t-unit">CNY</span></span>']
    euros = records.page("opportunity", view.fields, "amount == 84500").records[0]
    assert amount.cell(euros, viewer) == "84,500.00"
    bound = bind(system, "opportunity", "amount", "en")
    assert bound is not None
    assert widget_of(system, bound.field).read(bound)(euros, viewer) == \
        '<span>84,500.00\u202f<span class="t-unit">EUR</span></span>'


def test_sums_over_deals_are_in_the_organisations_currency(acting: As) -> None:
    admin = acting("admin")
    company = admin.page("company", ["won_total"], "tax_id == '91310115MA1K00001X'").records[0]
    assert str(company["won_total"]) == "21336.00"      # 168,000 CNY at 0.127

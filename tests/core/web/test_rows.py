"""Objects and lists on queries: what is asked above, rows to read, records of a table that a query chooses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from html import unescape

import pytest

from core.settings import Settings
from tests.core.web.site import Browser, Site, sample_site

MORE = {
    "queries/by_owner.yaml": """
query: by_owner
title: Deals by owner
of: deal
parameters:
  least: {type: money, prompt: From which amount?, help: Deals below it do not count., default: 100 EUR}
  company: {type: link, to: company, among: not archived, required: false}
where: {large: amount >= parameter.least, company: parameter.company is None or company == parameter.company}
columns:
  owner: {}
  stage: {badge: true}
  deals: {is: count(), total: sum}
  worth: {is: sum(amount), title: Worth, total: sum}
group: [owner, stage]
order: [-worth]
""",
    "queries/in_city.yaml": """
query: in_city
of: deal
parameters: {city: {type: text, prompt: In which city?}}
where: {city: company.city == parameter.city}
order: [-amount]
""",
    "queries/large.yaml": "query: large\nof: deal\nparameters: {least: {type: money, default: 500}}\n"
                          "where: amount >= parameter.least\n",
    "queries/secrets.yaml": "query: secrets\nof: deal\nparameters: {company: {type: link, to: company, required: false}}\n"
                            "where: exists(all.specimen)\ncolumns: {name: {}}\n",
    "queries/ranked.yaml": "query: ranked\nof: deal\ncolumns: {name: {}, amount: {}, place: {is: running(1)}}\n"
                           "order: [-amount]\n",
    "lists/large_deal.yaml": "list: large_deal\nof: large\ntitle: Large ones\ncolumns: {name: {}, amount: {}}\n"
                             "order: [name]\nfilters: {mine: {title: Mine, where: owner == user}}\n",
    "lists/owner_sum.yaml": """
list: owner_sum
of: by_owner
title: Sums
columns: {owner: {}, boss: {path: owner.manager, title: Boss}, worth: {title: In all, total: max}}
order: [worth]
filters: {won: {title: Won only, where: stage == 'won'}, many: {where: deals > 1}}
""",
    "lists/owner_all.yaml": "list: owner_all\nof: by_owner\ncolumns: {owner: {}, stage: {}, deals: {}}\n",
    "settings/big.yaml": "setting: big\ntype: integer\ndefault: 900\n",
    "lists/sized_deal.yaml": "list: sized_deal\nof: deal\ncolumns: {name: {}}\norder: [name]\nfilters:\n"
                             "  big: {title: Big, group: size, where: amount > setting.big}\n"
                             "  small: {title: Small, group: size, where: amount < setting.big / 10}\n",
    "objects/sized_deals.yaml": "object: sized_deals\nof: deal\narea: sales\nlists: [sized_deal]\n",
    "queries/hidden_amounts.yaml": "query: hidden_amounts\nof: deal\ncolumns: {name: {}, hidden: exists(all.specimen)}\n"
                                   "order: [name]\n",
    "objects/hidden_amounts.yaml": "object: hidden_amounts\nof: hidden_amounts\narea: sales\n",
    "queries/of_several.yaml": "query: of_several\nof: deal\nparameters: {companies: {type: link, to: company, many: true, "
                               "required: false}}\nwhere: name is not None\ncolumns: {name: {}}\n",
    "objects/of_several.yaml": "object: of_several\nof: of_several\narea: sales\n",
    "objects/owner_sums.yaml": "object: owner_sums\nof: by_owner\narea: sales\nlists: [owner_all, owner_sum]\n",
    "objects/local_deals.yaml": "object: local_deals\nof: in_city\narea: sales\nlists: [deal]\nnew: {stage: open}\n",
    "objects/large_deals.yaml": "object: large_deals\nof: deal\narea: sales\nlists: [large_deal, deal]\n",
    "objects/ranking.yaml": "object: ranking\nof: ranked\narea: sales\nwhere: amount > 100\n",
    "objects/secret_deals.yaml": "object: secret_deals\nof: secrets\narea: sales\n",
}


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with sample_site(database, tmp_path_factory.mktemp("rows"), MORE) as found:
        acme = found.create("company", name="Acme", city="Berlin", owner=found.users["sam"])
        zeta = found.create("company", name="Zeta", city="Köln", owner=found.users["sue"])
        deals = [("Anvils", "sam", acme, 1000, "won"), ("Bolts", "sam", acme, 300, "won"),
                 ("Cranes", "sue", zeta, 5000, "open"), ("Drills", "sue", acme, 50, "open")]
        for name, owner, company, amount, stage in deals:
            found.create("deal", name=name, owner=found.users[owner], company=company, amount=Decimal(amount),
                         stage=stage, starts=date(2026, 1, 1), ends=date(2026, 2, 1), secret="s")
        yield found


def rows(browser: Browser) -> list[list[str]]:
    """The texts of the table's body, row by row."""
    body = re.search(r"<tbody>(.*?)</tbody>", browser.text, re.DOTALL)
    return [[" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
             for cell in re.findall(r'<td(?! class="t-choose)[^>]*>(.*?)</td>', row, re.DOTALL)]
            for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body[1] if body else "", re.DOTALL)]


def questions(browser: Browser) -> list[str]:
    return [unescape(re.sub(r"<[^>]+>", "", label)).strip()
            for label in re.findall(r'<label for="p-[^"]+"[^>]*>(.*?)</label>', browser.text, re.DOTALL)]


# Rows


def test_rows_are_shown_with_their_defaults_and_totals(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/owner_sums?list=owner_sum")
    assert rows(ada) == [["Sam Seller", "", "1,300.00"], ["Sue Seller", "", "5,000.00"]]
    assert questions(ada) == ["From which amount?", "Company"]
    assert 'value="100.00"' in ada.text and "Deals below it do not count." in ada.words
    assert re.search(r"<tfoot>.*5,000\.00.*</tfoot>", ada.text, re.DOTALL)


def test_what_is_asked_narrows_the_rows_and_stays_in_every_address(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/owner_sums")
    form = ada.form("/owner_sums")
    assert form["p.least"] == "100.00"
    ada.get("/owner_sums?p.least=2000")
    assert rows(ada) == [["Sue Seller", "Open", "1"]]
    assert all("p.least=2000" in href for href in re.findall(r'href="(/owner_sums\?[^"]*(?:sort|list)=[^"]*)"', ada.text))
    acme = site.browser("ada")
    acme.get(f"/owner_sums?p.least=0&p.company={_id(site, 'company', 'Acme')}")
    assert rows(acme) == [["Sam Seller", "Won", "2"], ["Sue Seller", "Open", "1"]]
    assert ">Acme</span>" in acme.text, "the chosen company is named"


def _id(site: Site, table: str, name: str) -> int:
    with site.records() as records:
        return int(records.page(table, ["name"], f"name == '{name}'").records[0]["id"])


def test_a_wrong_answer_is_told_beside_its_question(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/owner_sums?p.least=much", 400)
    assert re.search(r'id="p-least-problem">&#34;much&#34; is not a number\.<', ada.text)
    assert 'value="much"' in ada.text and rows(ada) == []
    ada.get("/owner_sums?p.least=1&p.least=2")           # the last of two is no error: the form has one control
    ada.get("/owner_sums?p.least=10 XXX", 400)
    assert "There is no rate of the currency" in ada.words


def test_lists_of_a_query_choose_columns_filters_and_order(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/owner_sums")
    assert [row[:2] for row in rows(ada)] == [["Sue Seller", "Open"], ["Sam Seller", "Won"]], "in the query's order"
    ada.get("/owner_sums?list=owner_sum&f=won")
    assert rows(ada) == [["Sam Seller", "", "1,300.00"]]
    ada.get("/owner_sums?list=owner_sum&sort=-worth")
    assert [row[0] for row in rows(ada)] == ["Sue Seller", "Sam Seller"]
    assert 'aria-sort="descending"' in ada.text


def test_a_row_leads_to_its_record_and_the_objects_condition_counts(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/ranking")
    assert rows(ada) == [["Cranes", "5,000.00", "1"], ["Anvils", "1,000.00", "2"], ["Bolts", "300.00", "3"]]
    href = re.search(r'<a class="t-record" href="(/deals/\d+)">Cranes</a>', ada.text)
    assert href is not None
    ada.get(href[1])
    ada.get("/ranking?sort=name")
    assert [row[2] for row in rows(ada)] == ["2", "3", "1"], "running values keep the query's order"


def test_rows_have_no_forms_and_nothing_to_make(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/ranking")
    assert "/ranking/new" not in ada.text
    for path in ("/ranking/new", f"/ranking/{_id(site, 'deal', 'Anvils')}"):
        ada.get(path, 404)


def test_everyone_sees_what_they_may_read(site: Site) -> None:
    sam = site.browser("sam")
    sam.get("/ranking")
    assert [row[0] for row in rows(sam)] == ["Anvils", "Bolts"]
    sam.get("/secret_deals", 404)                       # by records that sam may not read
    assert "/secret_deals" not in sam.get("/")
    ada = site.browser("ada")
    assert "/secret_deals" in ada.get("/")
    nil = site.browser("nil")
    nil.get("/ranking", 404)


def test_a_column_that_is_hidden_sorts_no_more_than_one_that_is_not_there(site: Site) -> None:
    sam = site.browser("sam")
    shown = []
    for name in ("hidden", "nothing"):
        sam.get(f"/hidden_amounts?sort={name}")
        shown.append((rows(sam), sam.text.count("aria-sort")))
    assert shown[0] == shown[1] and [row[0] for row in shown[0][0]] == ["Anvils", "Bolts"]


def test_alternatives_of_a_list_are_its_own_words(site: Site) -> None:
    sam = site.browser("sam")
    sam.get("/sized_deals?f=big&f=small")                   # by a setting that sam may not know
    assert "Anvils" in sam.text and "Bolts" not in sam.text
    sam.get("/sized_deals?where=amount > setting.big", 400)


@pytest.mark.parametrize("wrong", ["²", "9" * 5_000, "-1", "x"])
def test_what_is_no_record_is_told_whatever_it_looks_like(site: Site, wrong: str) -> None:
    ada = site.browser("ada")
    ada.get(f"/of_several?p.companies={_id(site, 'company', 'Acme')}&p.companies={wrong}", 400)


def test_a_page_of_rows_takes_few_statements(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/ranking")
    ada.get("/ranking")
    with_rows = len(ada.statements)
    ada.get("/my-account")
    assert with_rows - len(ada.statements) == 1


# Records


def test_a_query_that_chooses_records_asks_first(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/local_deals?f=")
    assert questions(ada) == ["In which city? *"] and rows(ada) == []
    assert "Fill in what is asked above" in ada.words
    ada.get("/local_deals?f=&p.city=Berlin")
    assert [row[0] for row in rows(ada)] == ["Anvils", "Bolts", "Drills"]
    assert ada.form("/local_deals")["p.city"] == "Berlin"
    href = re.search(r'<a class="t-record" href="(/local_deals/\d+)">Anvils</a>', ada.text)
    assert href is not None
    ada.get(href[1])
    ada.get("/local_deals/new")


def test_a_list_of_a_query_narrows_an_object(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/large_deals")
    assert [row[0] for row in rows(ada)] == ["Anvils", "Cranes"]
    ada.get("/large_deals?list=deal&f=")
    assert len(rows(ada)) == 4
    sam = site.browser("sam")
    sam.get("/large_deals")
    assert [row[0] for row in rows(sam)] == ["Anvils"]


def test_a_linked_records_parameter_is_looked_up(site: Site) -> None:
    sam = site.browser("sam")
    sam.get("/owner_sums")
    assert 'data-lookup="/-/lookup/query/by_owner.parameters.company"' in sam.text
    assert "Acme" in sam.get("/-/lookup/query/by_owner.parameters.company?q=acm")
    for field in ("by_owner.parameters.least", "by_owner.parameters.none", "nothing.parameters.x", "by_owner"):
        sam.get(f"/-/lookup/query/{field}", 404)
    site.browser("ada").get("/-/lookup/query/secrets.parameters.company")
    sam.get("/-/lookup/query/secrets.parameters.company", 404)      # a query that sam may not run


def test_pages_speak_chinese(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/local_deals", **{"Accept-Language": "zh-CN"})
    assert "请先填写上面的条件" in ada.words and "显示" in ada.words

"""The main job, over HTTP: real data in, the site's layer changed, promoted and taken back while people work."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.scenarios.client import ROOT, Person, Site

SALES = Path(os.environ.get("TESSERA_SALES_DATA", ROOT.parent / "shared" / "data" / "crm_sales"))

pytestmark = pytest.mark.skipif(
    not SALES.is_dir(), reason=f"the sales data is not at {SALES}; name its folder in TESSERA_SALES_DATA")

REGION = {
    "choices/region.yaml": """\
choices: region
values:
  north: {title: North, color: blue}
  south: {title: South, color: orange}
""",
    "tables/opportunity.yaml": """\
change: table opportunity
fields:
  region: {type: choice, of: region, after: company}
""",
    "lists/opportunity.yaml": """\
change: list opportunity
columns:
  region: {badge: true, after: company}
""",
    "forms/opportunity.xml": """\
<form change="opportunity">
  <after ref="company"><field name="region"/></after>
</form>
""",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A system with the sales data, served by two workers."""
    site = Site.make(tmp_path_factory.mktemp("main_job"))
    site.run("init")
    site.serve(workers=2)
    try:
        subprocess.run([ROOT / "docs/tutorial/import-sales", SALES], env=site.environment, cwd=ROOT, check=True,
                       timeout=400)
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="module")
def admin(site: Site) -> Person:
    return site.person("admin")


def every(person: Person, path: str, **parameters: str) -> list[dict[str, object]]:
    """All records of a list, page by page."""
    records: list[dict[str, object]] = []
    after: dict[str, str] = {}
    while True:
        answer = person.get(path, limit="200", **parameters, **after)
        assert answer.status == 200, answer.text
        page = answer.json()
        records += page["records"]
        if not page["next"]:
            return records
        after = {"after": page["next"]}


def test_the_real_data_is_in_and_adds_up(site: Site, admin: Person) -> None:
    deals = every(admin, "/api/v1/opportunity", fields="stage,amount,company,close_date")
    assert len(deals) == 8800
    won = [deal for deal in deals if deal["stage"] == "won"]
    assert len(won) == 4238
    assert sum(Decimal(str(deal["amount"])) for deal in won) == Decimal("10005534")
    assert sum(deal["company"] is None for deal in deals) == 1425
    assert sum(deal["close_date"] is None for deal in deals) == 2089
    assert len(every(admin, "/api/v1/company")) == 85
    assert len(every(admin, "/api/v1/product")) == 7
    industries = Counter(company["industry"] for company in every(admin, "/api/v1/company"))
    assert industries["technology"] == 12


def test_people_list_filter_open_and_edit(site: Site, admin: Person) -> None:
    page = admin.get("/api/v1/opportunity", where="stage == 'won' and amount > 5000", order="-amount,name", limit="3",
                     fields="name,amount,company.industry", count="1").json()
    amounts = [Decimal(record["amount"]) for record in page["records"]]
    assert amounts == sorted(amounts, reverse=True) and page["count"] > 3
    assert set(page["records"][0]) >= {"id", "name", "amount", "company.industry"}

    number = page["records"][0]["id"]
    before = admin.get(f"/api/v1/opportunity/{number}")
    version = before.json()["_version"]
    saved = admin.send("PATCH", f"/api/v1/opportunity/{number}", {"next_step": "Say thank you", "_version": version})
    assert saved.status == 200 and saved.json()["next_step"] == "Say thank you"
    stale = admin.send("PATCH", f"/api/v1/opportunity/{number}", {"next_step": "Too late", "_version": version})
    assert stale.status == 409
    unversioned = admin.send("PATCH", f"/api/v1/opportunity/{number}", {"next_step": "No version"})
    assert unversioned.status == 428


def test_pages_show_the_same_records(site: Site, browser_admin: Person) -> None:
    page = browser_admin.get("/opportunities", where="stage == 'won'")
    assert page.status == 200 and "GTX" in page.text
    number = browser_admin_first_id(browser_admin)
    form = browser_admin.get(f"/opportunities/{number}")
    assert form.status == 200 and "<form" in form.text


@pytest.fixture(scope="module")
def browser_admin(site: Site) -> Person:
    password = site.add_user("ada", "--name", "Ada Admin", "--role", "administrator")
    person = Person(site.address)
    person.sign_in("ada", password)
    return person


def browser_admin_first_id(person: Person) -> str:
    found = re.search(r'/opportunities/(\d+)', person.get("/opportunities").text)
    assert found
    return found.group(1)


class Traffic:
    """Somebody who goes on reading and writing while others promote; remembers what failed."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.failures: list[str] = []
        self.requests = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self) -> Traffic:
        self.thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self.stop.set()
        self.thread.join(20)

    def work(self) -> None:
        turn = 0
        while not self.stop.is_set():
            turn += 1
            answer = self.person.get("/api/v1/opportunity", limit="20", order="-close_date,name")
            self.note(answer.status, 200, answer.text)
            created = self.person.send("POST", "/api/v1/company", {"name": f"Traffic {turn} {id(self)}"})
            self.note(created.status, 201, created.text)
            if created.status == 201:
                company = created.json()
                changed = self.person.send("PATCH", f"/api/v1/company/{company['id']}",
                                           {"city": "Somewhere", "_version": company["_version"]})
                self.note(changed.status, 200, changed.text)

    def note(self, status: int, wanted: int, text: str) -> None:
        self.requests += 1
        if status != wanted:
            self.failures.append(f"{status}: {text[:300]}")


def eventually(condition: object, seconds: float = 1.0) -> float:
    """Wait until a condition holds; the seconds it took. Fails after `seconds`."""
    assert callable(condition)
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - begun


def test_a_field_is_added_promoted_taken_back_and_returns_with_its_values(
        site: Site, admin: Person, browser_admin: Person) -> None:
    for name, text in REGION.items():
        path = site.metadata / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    site.run("check")
    plan = site.run("plan", code=2)
    assert "opportunity.region" in plan
    number = admin.get("/api/v1/opportunity", limit="1", order="name").json()["records"][0]["id"]

    def shown() -> bool:
        """Whether both workers show the field on page and API: many fresh connections reach both."""
        pages = [Person(site.address, admin.token).get(f"/api/v1/opportunity/{number}").json() for _ in range(12)]
        browser = [browser_admin.get("/opportunities").text for _ in range(4)]
        return all("region" in page for page in pages) and all("Region" in page for page in browser)

    def hidden() -> bool:
        pages = [Person(site.address, admin.token).get(f"/api/v1/opportunity/{number}").json() for _ in range(12)]
        return all("region" not in page for page in pages)

    with Traffic(site.person("admin")) as traffic:
        site.run("promote", "--yes", "--message", "Regions")
        eventually(shown)
        record = admin.get(f"/api/v1/opportunity/{number}").json()
        saved = admin.send("PATCH", f"/api/v1/opportunity/{number}",
                           {"region": "north", "_version": record["_version"]})
        assert saved.status == 200 and saved.json()["region"] == "north"

        site.run("rollback", "--yes")
        eventually(hidden)
        assert admin.get("/api/v1/opportunity", where="region == 'north'").status == 400

        site.run("promote", "--yes", "--message", "Regions again")
        eventually(shown)
        assert admin.get(f"/api/v1/opportunity/{number}").json()["region"] == "north"
        found = admin.get("/api/v1/opportunity", where="region == 'north'").json()
        assert [record["id"] for record in found["records"]] == [number]
    assert traffic.requests > 10
    assert traffic.failures == []
    site.run("plan", code=0)


def test_a_salesperson_sees_own_deals_only_and_no_hidden_value(site: Site, admin: Person) -> None:
    name = "Moses Frase"
    site.add_user("moses", "--for", name, "--role", "salesperson")
    moses = site.person("moses")
    own = every(moses, "/api/v1/opportunity", fields="owner,owner.name")
    everything = every(admin, "/api/v1/opportunity", fields="owner,owner.name")
    assert {record["owner.name"] for record in own} == {name}
    assert len(own) == sum(record["owner.name"] == name for record in everything) == 260
    foreign = next(record["id"] for record in everything if record["owner.name"] != name)
    assert moses.get(f"/api/v1/opportunity/{foreign}").status == 404

    mine = own[0]["id"]
    record = admin.get(f"/api/v1/opportunity/{mine}").json()
    saved = admin.send("PATCH", f"/api/v1/opportunity/{mine}",
                       {"target_margin": "41.5", "_version": record["_version"]})
    assert saved.status == 200
    assert "target_margin" not in moses.get(f"/api/v1/opportunity/{mine}").json()
    unknown = {key: moses.get("/api/v1/opportunity", **{key: text.format("no_such_field")})
               for key, text in PROBES.items()}
    for key, text in PROBES.items():
        answer = moses.get("/api/v1/opportunity", **{key: text.format("target_margin")})
        assert answer.status == unknown[key].status == 400
        assert "41.5" not in answer.text
    assert moses.send("PATCH", f"/api/v1/opportunity/{mine}", {
        "target_margin": "1", "_version": saved.json()["_version"]}).status in (403, 422)


PROBES = {"where": "{} > 41", "order": "{}", "fields": "name,{}"}

"""The duties of administrators, each a right of its own (`may:` of a role): their names, and why one has them."""

from __future__ import annotations

from collections.abc import Iterator

from core.definition.model import DUTIES
from core.ed.session import Session
from core.ed.why import Answer, Asked, Place, Step
from core.errors import N_, BadRequest, words

TITLES = {"plan": N_("see plans and promotions"), "promote": N_("promote"), "roll_back": N_("roll back"),
          "purge": N_("restore or remove what is parked"), "customise": N_("change definitions on the page")}


def why(session: Session, user: int, duty: str, place: Place | None = None) -> Answer:
    """Explain whether a user may do a thing of administrators. Raises BadRequest, NotFound."""
    if duty not in DUTIES:
        raise BadRequest("There is no such action here; one of {actions} is expected.", "action",
                         actions=", ".join(DUTIES))
    return _Duty(session, user, duty, place).answer()


class _Duty(Asked):
    """A question about a duty."""

    def __init__(self, session: Session, user: int, duty: str, place: Place | None) -> None:
        super().__init__(session, user, place)
        self.duty = duty

    def answer(self) -> Answer:
        """The verdict of the session itself, and the roles that speak of it."""
        allowed = self.session.may(self.duty)
        roles = self.system.model.roles.values()
        titles = ", ".join(self.role_title(role.name) for role in roles if role.all or self.duty in role.may)
        missing = () if allowed else (words("A role that grants it: {roles}.", roles=titles or "–"),)
        return Answer(allowed, (*self.roles(), *self._said()), missing)

    def _said(self) -> Iterator[Step]:
        for role in self.gate.roles:
            values = {"role": self.role_title(role.name), "right": words(TITLES[self.duty])}
            if role.all:
                yield Step(True, words("The role {role} may do everything.", **values),
                           self.written("role", role.name, "all"))
            elif self.duty in role.may:
                yield Step(True, words("The role {role} gives the right to {right}.", **values),
                           self.written("role", role.name, "may"))
            else:
                yield Step(None, words("The role {role} does not give the right to {right}.", **values),
                           self.written("role", role.name))

"""The fifteen workflows of a CRM (WF1 to WF15 of the specification), on the table `ticket` of the desk."""

from __future__ import annotations

WORKFLOWS = {
    "ticket": """
states:
  draft:     {phase: draft, edit: [owner, assignee, assignor]}
  submitted: {phase: waiting, edit: [assignor]}
  open:      {title: Opened, phase: open, edit: [assignee, assignor]}
  suspended: {phase: paused, edit: [assignee, assignor]}
  closed:    {phase: done, edit: [boss]}
  cancelled: {phase: void, edit: none}
transitions:
  submit: {from: draft, to: submitted, who: [owner, assignee]}
  open:   {from: [draft, submitted, suspended, closed], to: open, who: [assignor], check: [complete]}
  pause:  {from: open, to: suspended, who: [assignee, assignor]}
  close:  {from: [open, suspended], to: closed, who: [assignee, assignor]}
  answer_and_close:
    from: [open, suspended]
    to: closed
    who: [assignee, assignor]
    ask: {text: {type: memo, required: true}}
    do:
      answer: {create: event, with: {title: "=answer.text", direction: out, ticket: =record}}
  cancel: {from: [draft, submitted], to: cancelled}
worklist:
  submitted: {title: "{plural} to open", for: [assignor]}
  open:      {title: "Open {plural}", for: [assignee]}
""".replace("answer: {create", "reply: {create"),
    "opportunity": """
states:
  draft:     {phase: draft}
  submitted: {phase: waiting, edit: [assignor]}
  contacted: {phase: open}
  enquired:  {phase: open}
  offered:   {phase: open, requires: [client, ends]}
  sold:      {phase: done, result: won, edit: [boss]}
  rejected:  {phase: done, result: lost, edit: [boss]}
  expired:   {phase: done, result: lost}
  cancelled: {phase: void, edit: none}
transitions:
  submit:   {from: draft, to: submitted}
  validate: {from: submitted, to: contacted, who: [assignor], check: [complete]}
  cancel:   {from: submitted, to: cancelled}
  enquire:  {from: [contacted, offered], to: enquired}
  offer:    {from: [contacted, enquired], to: offered}
  sell:     {from: [contacted, offered], to: sold}
  reject:   {from: offered, to: rejected, ask: {reason: {type: text, required: true}}}
  expire:   {from: [contacted, enquired, offered], to: expired, who: none, auto: ends < today() - days(90)}
""",
    "event": """
states:
  draft:     {phase: draft}
  planned:   {phase: draft}
  confirmed: {phase: waiting}
  sent:      {phase: done}
  received:  {phase: open, edit: [assignee, assignor]}
  delivered: {phase: done, edit: [boss]}
  cancelled: {phase: void, edit: none}
transitions:
  plan:    {from: draft, to: planned}
  confirm: {from: planned, to: confirmed}
  send:
    title: Send
    from: [draft, planned, confirmed]
    to: sent
    who: [owner]
    if: client is not None
    undo: 10 seconds
    do:
      mail: {send: {subject: "{record.title}", body: "See {record.title}.", to: =record.client.email}}
  receive: {title: Declare as received, from: [draft, sent], to: received, who: [assignee, assignor, owner]}
  deliver: {from: [draft, sent, received], to: delivered, who: [assignee, assignor], check: [dates]}
  cancel:  {from: [draft, planned, confirmed], to: cancelled}
worklist:
  received: {title: "Received {plural} to deliver", for: [assignee, assignor]}
""",
    "quote": """
states:
  draft:       {phase: draft, edit: [owner]}
  in_approval: {phase: waiting, edit: none}
  approved:    {phase: open, edit: none}
  sent:        {phase: open, edit: none}
  accepted:    {phase: done, result: won, edit: none}
  rejected:    {phase: done, result: lost, edit: none}
  expired:     {phase: void, edit: none}
transitions:
  ask_approval: {from: draft, to: in_approval}
  approve:      {from: in_approval, to: approved, who: [boss]}
  send_back:    {from: in_approval, to: draft, who: [boss], ask: {why: {type: memo}}}
  send:         {from: approved, to: sent, who: [owner]}
  accept:       {from: sent, to: accepted}
  reject:       {from: sent, to: rejected}
  expire:       {from: [approved, sent], to: expired, auto: ends < today()}
  revise:
    from: [sent, rejected, expired]
    to: draft
    do:
      version: {copy: record, with: {title: "=concat(record.title, ' (revised)')"}, without: [ends]}
""",
    "order": """
states:
  entered:     {phase: draft}
  in_approval: {phase: waiting}
  approved:    {phase: open, edit: none}
  delivered:   {phase: open, edit: none}
  invoiced:    {phase: open, edit: none}
  returned:    {phase: done}
  closed:      {phase: done}
  cancelled:   {phase: void}
transitions:
  ask_approval: {from: entered, to: in_approval}
  approve:      {from: in_approval, to: approved, who: [boss]}
  deliver:      {from: approved, to: delivered}
  invoice:      {from: delivered, to: invoiced}
  take_back:    {from: [delivered, invoiced], to: returned}
  close:        {from: invoiced, to: closed}
  cancel:       {from: [entered, in_approval], to: cancelled}
""",
    "shipment": """
states:
  draft:    {phase: draft}
  approved: {phase: open}
  packed:   {phase: open}
  shipped:  {phase: open, edit: none}
  arrived:  {phase: done}
  void:     {phase: void, edit: none}
transitions:
  approve: {from: draft, to: approved, who: [boss]}
  pack:    {from: approved, to: packed}
  ship:
    from: [approved, packed]
    to: shipped
    who: [clerk]
    do:
      moves:
        for: record.events
        do: {note: {set: each, with: {status: moved}, once: true}}
  arrive: {from: shipped, to: arrived}
  undo_it: {title: Void, from: [shipped, arrived], to: void, confirm: "Void {title}?"}
""",
    "purchase": """
states:
  draft:       {phase: draft}
  in_approval: {phase: waiting}
  approved:    {phase: open}
  received:    {phase: open}
  paid:        {phase: done}
  cancelled:   {phase: void}
transitions:
  ask_approval: {from: draft, to: in_approval, who: [owner]}
  approve:      {from: in_approval, to: approved, who: [boss], if: supervisor != owner}
  receive:      {from: approved, to: received}
  pay:          {from: received, to: paid}
  cancel:       {from: [draft, in_approval, approved], to: cancelled}
""",
    "expense": """
states:
  draft:      {phase: draft, edit: [owner]}
  submitted:  {phase: waiting, edit: none}
  approved:   {phase: open, edit: [clerk]}
  reimbursed: {phase: done, edit: none}
  returned:   {phase: draft, edit: [owner]}
transitions:
  submit:    {from: [draft, returned], to: submitted, who: [owner]}
  approve:   {from: submitted, to: approved, who: [assignor]}
  send_back: {from: submitted, to: returned, who: [assignor], ask: {why: {type: memo, required: true}}}
  reimburse: {from: approved, to: reimbursed, who: [clerk]}
worklist:
  submitted: {title: "{plural} to approve", for: [assignor]}
""",
    "incident": """
states:
  new:         {phase: draft}
  assigned:    {phase: waiting, requires: [manager]}
  in_progress: {phase: open}
  waiting:     {title: Waiting for the customer, phase: paused}
  resolved:    {phase: done}
  closed:      {phase: done, edit: none}
transitions:
  assign:  {from: new, to: assigned, ask: {manager: {like: ticket.manager, required: true}}, do: {
    take: {set: record, with: {manager: =answer.manager}}}}
  begin:   {from: [assigned, waiting], to: in_progress}
  hold:    {from: in_progress, to: waiting}
  resolve: {from: [in_progress, waiting], to: resolved}
  close:   {from: resolved, to: closed}
  reopen:  {from: [resolved, closed], to: in_progress}
""",
    "dev_issue": """
states:
  reported:       {phase: draft}
  accepted:       {phase: waiting}
  in_development: {phase: open}
  testing:        {phase: open}
  released:       {phase: open}
  closed:         {phase: done}
  declined:       {phase: void}
transitions:
  accept:  {from: reported, to: accepted}
  decline: {from: [reported, accepted], to: declined, ask: {why: {type: text}}}
  develop: {from: [accepted, testing], to: in_development}
  test:    {from: in_development, to: testing}
  release: {from: testing, to: released}
  close:   {from: released, to: closed}
""",
    "complaint": """
states:
  received:      {phase: waiting}
  investigating: {phase: open}
  answered:      {phase: open}
  visit_back:    {phase: open}
  closed:        {phase: done, requires: [ends]}
transitions:
  investigate: {from: [received, visit_back], to: investigating}
  answer:      {from: investigating, to: answered}
  visit:       {from: answered, to: visit_back}
  close:       {from: visit_back, to: closed, ask: {satisfaction: {type: integer, min: 1, max: 5, required: true}}}
""",
    "approval": """
states:
  draft:    {phase: draft}
  pending:  {phase: waiting, edit: none}
  approved: {phase: done, edit: none}
  archived: {phase: done, edit: none}
  rejected: {phase: draft}
transitions:
  ask_for:  {from: [draft, rejected], to: pending}
  agree:    {from: pending, to: approved, who: [assignor]}
  refuse:   {from: pending, to: rejected, who: [assignor]}
  withdraw: {from: pending, to: draft, who: [owner]}
  file:     {from: approved, to: archived, who: [clerk]}
""",
    "document": """
states:
  drafting:    {phase: draft}
  review:      {phase: waiting}
  countersign: {phase: waiting}
  published:   {phase: done, edit: none}
  archived:    {phase: done, edit: none}
  obsolete:    {phase: void, edit: none}
transitions:
  hand_in:  {from: drafting, to: review}
  return:   {from: [review, countersign], to: drafting}
  pass:     {from: review, to: countersign}
  publish:  {from: [review, countersign], to: published}
  archive:  {from: published, to: archived}
  replace:  {from: [published, archived], to: obsolete}
""".replace("  return:", "  give_back:").replace("  pass: ", "  go_on:"),
    "lead": """
states:
  new:       {phase: draft}
  contacted: {phase: open}
  qualified: {phase: open}
  converted: {phase: done, result: won, edit: none}
  junk:      {phase: void}
  lost:      {phase: done, result: lost}
transitions:
  contact: {from: new, to: contacted}
  qualify: {from: contacted, to: qualified}
  convert:
    from: [contacted, qualified]
    to: converted
    ask:
      party: {type: link, to: party, title: Existing company}
      title: {like: ticket.title, default: =record.title}
    do:
      found:
        if: answer.party is None
        create: party
        with: {name: =answer.title}
        else: =answer.party
      deal:  {create: opportunity, with: {title: =answer.title, client: =found}}
      show:  {open: deal}
  discard: {from: [new, contacted], to: junk}
  lose:    {from: [contacted, qualified], to: lost}
""",
    "credit": """
states:
  draft:    {phase: draft}
  review:   {title: Under review, phase: waiting}
  approved: {phase: open, requires: [ends]}
  expired:  {phase: void}
  frozen:   {phase: paused}
transitions:
  hand_in:  {from: draft, to: review}
  approve:  {from: [review, frozen], to: approved, who: [boss]}
  expire:   {from: approved, to: expired, who: none, auto: ends < today()}
  freeze:   {from: approved, to: frozen, who: [boss]}
""",
}

"""A client that is not ours: it knows an address and nothing else. Every message comes from the server's own descriptors.

It publishes a policy, brings one ticket from received to closed, repeats a request, is refused with the legal moves, has the ticket's
promises explained, and resumes a subscription by its token over a new connection. Then it is a crew: it is offered a fault, takes it, and
reports what it did out of order and twice, its clock a day wrong at first. Ends with 0 and a line that says so, or with a traceback.
"""

import sys
import time
import uuid
from pathlib import Path

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

PATIENCE_SECONDS = 20
CITY = "sgcc/zj/hz"
CREW = "sgcc/zj/hz/yuhang/liangzhu/crew3"
POLICY = Path(__file__).parent / "../../deploy/policies/sgcc.toml"


class Api:
    """The calls of a server, made from what it says about itself."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        grpc.channel_ready_future(self.channel).result(timeout=PATIENCE_SECONDS)
        database = ProtoReflectionDescriptorDatabase(self.channel)
        self.services = set(database.get_services())
        self.pool = descriptor_pool.DescriptorPool(database)

    def method(self, name):
        """The descriptor of `Service.Method`, its path and its message classes."""
        service, method = name.split(".")
        found = self.pool.FindServiceByName(f"switchboard.v1.{service}").FindMethodByName(method)
        request, response = (message_factory.GetMessageClass(m) for m in (found.input_type, found.output_type))
        return f"/switchboard.v1.{service}/{method}", request, response

    def call(self, name, role="agent", org="sgcc", /, **fields):
        """One call by somebody of that role and unit."""
        path, request, response = self.method(name)
        send = self.channel.unary_unary(path, request.SerializeToString, response.FromString)
        return send(request(**fields), metadata=actor(role, org), timeout=PATIENCE_SECONDS)

    def stream(self, name, role, org, /, **fields):
        """The messages of a stream, as they come."""
        path, request, response = self.method(name)
        follow = self.channel.unary_stream(path, request.SerializeToString, response.FromString)
        return follow(request(**fields), metadata=actor(role, org), timeout=PATIENCE_SECONDS)

    def subscribe(self, **fields):
        """The messages of a subscription, as they come."""
        return self.stream("AuditService.Subscribe", "auditor", "sgcc", **fields)

    def enum(self, name, value):
        """The number of an enum's value."""
        return self.pool.FindEnumTypeByName(f"switchboard.v1.{name}").values_by_name[value].number

    def close(self):
        """Hangs up."""
        self.channel.close()


def fresh():
    """A new request id."""
    return str(uuid.uuid4())


def actor(role, org):
    """Who acts, as metadata."""
    return (("x-actor-id", f"{role}-python"), ("x-actor-role", role), ("x-actor-org", org), ("accept-language", "en"))


def publish(api):
    """Publishes the operator's policy, and is refused a bad one with its line."""
    text = POLICY.read_text(encoding="utf-8")
    bad = text.replace('limit = "45m"', 'limit = "-45m"', 1)
    try:
        api.call("AdminService.PublishPolicy", "operator", request_id=fresh(), text=bad, file_name="bad.toml")
        raise AssertionError("a negative limit was published")
    except grpc.RpcError as refused:
        assert refused.code() == grpc.StatusCode.INVALID_ARGUMENT, refused
        line = 1 + text[: text.index('limit = "45m"')].count("\n")
        details = dict(refused.trailing_metadata())["grpc-status-details-bin"]
        assert f"bad.toml:{line}:".encode() in details, details
    published = api.call("AdminService.PublishPolicy", "operator", request_id=fresh(), text=text)
    assert published.version.name == "sgcc" and published.version.version == 1, published


def promises(api, ticket, position):
    """Every clock of a ticket that was dealt with at once was kept, and says so in a sentence."""
    explained = api.call("TicketService.ExplainPromises", ticket=ticket, min_position=position)
    clocks = {promise.clock: promise for promise in explained.promises}
    arrival = clocks["arrival"]
    assert arrival.verdict == api.enum("Verdict", "VERDICT_KEPT"), arrival
    assert arrival.due_at.seconds - arrival.started_at.seconds == 45 * 60, arrival
    assert arrival.rule == "F05u" and arrival.policy.version == 1 and "kept" in arrival.sentence, arrival
    assert arrival.segments[0].fact_id and arrival.segments[0].fact_position > 0, arrival


def live(api):
    """Brings one ticket from received to closed; its id and the position of its last fact."""
    opening = dict(
        request_id=fresh(),
        business_type=api.enum("BusinessType", "BUSINESS_TYPE_FAULT_REPAIR"),
        channel=api.enum("Channel", "CHANNEL_HOTLINE"),
        caller=dict(phone="13800001234"),
        content="No power since noon.",
    )
    opened = api.call("TicketService.Receive", **opening)
    ticket = opened.outcome.ticket_id
    again = api.call("TicketService.Receive", **opening)
    assert again.outcome.replayed and again.number == opened.number, "a repeated request is answered as before"
    assert again.outcome.position == opened.outcome.position

    def step(method, role="agent", org="sgcc", /, **fields):
        header = dict(request_id=fresh(), ticket=ticket)
        return api.call(f"TicketService.{method}", role, org, header=header, **fields).outcome

    try:
        step("Close")
        raise AssertionError("a ticket that was only received was closed")
    except grpc.RpcError as refused:
        assert refused.code() == grpc.StatusCode.FAILED_PRECONDITION, refused
        details = dict(refused.trailing_metadata())["grpc-status-details-bin"]
        assert b"ILLEGAL_MOVE" in details and b"classify" in details, details

    category = "fault_repair/low_voltage/fuse"
    urgent = api.enum("Urgency", "URGENCY_URGENT")
    step("Classify", category="fault_repair/low_voltage", urgency=urgent)
    step("Dispatch", to=CITY)
    step("Accept", "desk", CITY)
    step("Dispatch", "desk", CITY, to=CREW)
    for progress in ("accepted", "en_route", "arrived"):
        step("ReportProgress", "crew", CREW, **{progress: {}})
    step("ReportProgress", "crew", CREW, diagnosed=dict(finding="A blown fuse."))
    step("ReportProgress", "crew", CREW, restored={})
    resolved = api.enum("ReplyOutcome", "REPLY_OUTCOME_RESOLVED")
    slip = dict(facts="As told.", cause="A blown fuse", measures="Replaced it.", category=category)
    step("Reply", "crew", CREW, outcome=resolved, **slip)
    step("AuditReply", "desk", CITY, passed={})
    step("AuditReply", passed={})
    # By message: those may be sent at any hour.
    by_sms = api.enum("RevisitMethod", "REVISIT_METHOD_SMS")
    step("Revisit", method=by_sms, outcome=api.enum("Satisfaction", "SATISFACTION_SATISFIED"))
    closed = step("Close")

    view = api.call("TicketService.Get", ticket=ticket, min_position=closed.position).ticket
    assert view.stage == api.enum("Stage", "STAGE_CLOSED"), view
    assert view.caller_phone == "138****1234", view
    page = api.call("TicketService.List", filter="stage = closed", min_position=closed.position)
    assert [row.id for row in page.tickets] == [ticket] and page.total == 1, page
    return ticket, closed.position


def facts(messages, head):
    """The facts of a subscription up to a position, each with the token after it."""
    found = []
    for message in messages:
        if message.HasField("fact"):
            found.append((message.fact.position, message.fact.event_id, message.resume_token))
            if message.fact.position >= head:
                break
    messages.cancel()
    return found


def resume(address, head):
    """Reads some of the log, hangs up, and goes on over a new connection where the token says."""
    api = Api(address)
    whole = facts(api.subscribe(), head)
    api.close()
    assert [position for position, _, _ in whole] == list(range(1, head + 1)), "gapless from 1"
    for cut in (1, head // 2, head - 1):
        api = Api(address)
        token = whole[cut - 1][2]
        rest = facts(api.subscribe(resume_token=token), head)
        api.close()
        assert [fact[:2] for fact in rest] == [fact[:2] for fact in whole[cut:]], f"resumed after {cut}"


def dispatched(address):
    """A crew on shift is offered a fault; a second stream goes on where the first was cut."""
    api, now = Api(address), int(time.time())
    crew, place = f"{CITY}/yuhang/liangzhu/crew7", dict(latitude_e6=30209000, longitude_e6=120107000)
    skills = [api.enum("Skill", "SKILL_LOW_VOLTAGE")]
    api.call("DispatchService.EnrolCrew", "desk", CITY, request_id=fresh(), crew=crew, home=place, skills=skills)
    shift = dict(header=dict(request_id=fresh()), until=dict(seconds=now + 8 * 3600))
    api.call("DispatchService.StartShift", "crew", crew, **shift)
    watch = api.stream("DispatchService.WatchAssignments", "crew", crew)
    token = next(message.resume_token for message in watch if message.HasField("checkpoint"))
    watch.cancel()

    fault = dict(business_type=api.enum("BusinessType", "BUSINESS_TYPE_FAULT_REPAIR"), place=place, content="No light.")
    caller = dict(channel=api.enum("Channel", "CHANNEL_HOTLINE"), caller=dict(phone="13800001235"))
    received = api.call("TicketService.Receive", request_id=fresh(), **fault, **caller)
    ticket = received.outcome.ticket_id
    command = lambda: dict(header=dict(request_id=fresh(), ticket=ticket))
    urgency = api.enum("Urgency", "URGENCY_NORMAL")
    api.call("TicketService.Classify", category="fault_repair/low_voltage", urgency=urgency, **command())
    api.call("TicketService.Dispatch", to=f"{CITY}/yuhang/liangzhu", **command())
    watch = api.stream("DispatchService.WatchAssignments", "crew", crew, resume_token=token)
    offer = next(m.change.offered for m in watch if m.HasField("change") and m.change.HasField("offered"))
    assert offer.ticket.ticket_id == ticket, offer
    api.call("DispatchService.AcceptOffer", "crew", crew, offer=offer.offer, fence=offer.fence, **command())
    assigned = next(m.change.assigned for m in watch if m.HasField("change") and m.change.HasField("assigned"))
    assert assigned.ticket.ticket_id == ticket, assigned
    watch.cancel()
    report(api, crew, ticket)
    api.close()
    return ticket


def report(api, crew, ticket):
    """Power is back before the crew arrived, as far as the order of the reports goes; all of it is sent twice."""
    now = int(time.time())
    names = ("restored", "arrived", "en_route")
    steps = [dict(request_id=fresh(), ticket=ticket, occurred_at=dict(seconds=now), **{name: {}}) for name in names]
    try:
        api.call("DispatchService.ReportSteps", "crew", crew, device_time=dict(seconds=now - 86400), steps=steps)
        raise AssertionError("a clock that is a day wrong was believed")
    except grpc.RpcError as refusal:
        assert refusal.code() == grpc.StatusCode.FAILED_PRECONDITION, refusal
    for replayed in (False, True):
        told = api.call("DispatchService.ReportSteps", "crew", crew, device_time=dict(seconds=now), steps=steps)
        assert [(r.request_id, r.outcome.replayed) for r in told.results] == [
            (step["request_id"], replayed) for step in steps
        ], told


def main():
    """The whole story."""
    address = sys.argv[1]
    api = Api(address)
    for area in ("Ticket", "Intake", "Audit", "Board", "Admin", "Dispatch"):
        assert f"switchboard.v1.{area}Service" in api.services, api.services
    publish(api)
    ticket, head = live(api)
    promises(api, ticket, head)
    api.close()
    resume(address, head)
    other = dispatched(address)
    print(f"a Python client brought ticket {ticket} to its end and resumed a subscription of {head} facts")
    print(f"as a crew it was offered ticket {other}, took it and reported what it did")


if __name__ == "__main__":
    main()

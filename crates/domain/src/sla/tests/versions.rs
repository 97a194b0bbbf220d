//! Which published version judges a clock: policies and calendars that change while a ticket is in flight, and the
//! decisions of the publication streams.

use super::{
    tale::{
        Tale, arrival, at, days, extended, in_force, in_words, line, minutes, on, policy, published, registry,
        reopened, rule, year, year_2024,
    },
    world::World,
};
use crate::{
    actor::{Actor, Role},
    decider::{Context, Decider},
    fact::PolicyFact,
    rules::Rules,
    sla::{
        clock_history::FactName,
        judge::judge,
        policy::{Policy, Rule, Threshold, Warning},
        promise::StartedBy,
        publication::{
            Calendars, Policies, PolicyCommand, PolicyEvent, PolicyPublished, PolicyRejection, PublishYear,
            ShadowEnded, YearRejection,
        },
        registry::PolicyRegistry,
    },
    ticket::{
        BusinessType, ReplyOutcome,
        tests::sample::{
            CREW, HZ, NATION, ZJ, accepted, arrived, dispatched, merged, org, received, replied, ticket_id, unmerged,
        },
    },
};

/// The policy with another `effective_from`.
fn from(reading: &str, policy: Policy) -> Policy {
    Policy { effective_from: at(reading), ..policy }
}

/// A fault received at 10:00 under a limit of 45 minutes.
fn fault() -> World {
    let mut world = World::under(policy([arrival(45)]));
    world.and("10:00", received(BusinessType::FaultRepair));
    world
}

fn publish(world: &mut World, reading: &str, policy: Policy) {
    world.until(reading);
    world.publish(policy);
    world.rest();
}

#[test]
fn a_version_for_later_clocks_leaves_those_that_run_alone() {
    let mut world = fault();
    publish(&mut world, "10:10", from("10:00:01", policy([arrival(20)])));
    assert_eq!(world.until("10:40").stands(), ["arrival 1.1 running, due 10:45 by version 1"]);
    world.until("11:00");
    assert_eq!(world.stands(), ["arrival 1.1 breached, due 10:45 by version 1"]);
    assert_eq!(world.events(), ["10:45:00.000001 arrival 1.1 breached 10:45 by sgcc"]);
}

#[test]
fn a_back_dated_version_takes_over_the_clocks_that_run() {
    let mut world = fault();
    publish(&mut world, "10:10", from("10:00", policy([arrival(30)])));
    assert_eq!(world.stands(), ["arrival 1.1 running, due 10:30 by version 2"]);
    publish(&mut world, "10:20", from("09:00", policy([arrival(90)])));
    assert_eq!(world.stands(), ["arrival 1.1 running, due 10:30 by version 2"], "the later instant has the say");
    publish(&mut world, "10:25", from("10:00", policy([arrival(25)])));
    assert_eq!(
        world.stands(),
        ["arrival 1.1 running, due 10:25 by version 4"],
        "of two from the same instant the last"
    );
    publish(&mut world, "10:40", from("10:00", policy([])));
    assert_eq!(world.stands(), ["arrival 1.1 breached, due 10:25 by version 4"], "its verdict was given");
    assert_eq!(world.events(), ["10:25:00.000001 arrival 1.1 breached 10:25 by sgcc"]);
}

#[test]
fn a_clock_that_a_version_knows_no_more_is_gone_while_it_runs() {
    let mut world = fault();
    publish(&mut world, "10:10", from("10:00", policy([])));
    assert_eq!(world.until("12:00").stands(), Vec::<String>::new());
    assert_eq!(world.events(), Vec::<String>::new());
}

#[test]
fn a_verdict_once_given_stays_with_the_version_that_gave_it() {
    let mut kept = fault();
    kept.and("10:40", arrived(CREW));
    publish(&mut kept, "11:00", from("10:00", policy([arrival(30)])));
    assert_eq!(kept.until("12:00").stands(), ["arrival 1.1 kept, due 10:45 by version 1"]);
    assert_eq!(kept.events(), Vec::<String>::new());

    let mut breached = fault();
    publish(&mut breached, "11:00", from("10:00", policy([arrival(90)])));
    assert_eq!(breached.stands(), ["arrival 1.1 breached, due 10:45 by version 1"]);
    breached.and("11:10", arrived(CREW));
    assert_eq!(breached.stands(), ["arrival 1.1 breached, due 10:45 by version 1"]);
    assert_eq!(breached.events(), ["10:45:00.000001 arrival 1.1 breached 10:45 by sgcc"]);

    let rule = || Rule { cancel: vec![on(FactName::Merged)], revive: vec![on(FactName::Unmerged)], ..arrival(45) };
    let mut cancelled = World::under(policy([rule()]));
    cancelled.and("10:00", received(BusinessType::FaultRepair)).and("10:20", merged(ticket_id(9)));
    publish(&mut cancelled, "11:00", from("10:00", policy([Rule { limit: minutes(10), ..rule() }])));
    assert_eq!(cancelled.stands(), ["arrival 1.1 cancelled, due 10:45 by version 1"]);
    cancelled.and("11:05", unmerged(ticket_id(9)));
    assert_eq!(cancelled.stands(), ["arrival 1.1 breached, due 10:45 by version 1"]);
}

#[test]
fn a_late_fact_turns_a_verdict_under_the_version_that_gave_it() {
    let mut world = fault();
    publish(&mut world, "11:00", from("10:00", policy([arrival(30)])));
    world.until("11:05").late("10:40", arrived(CREW));
    assert_eq!(world.stands(), ["arrival 1.1 kept, due 10:45 by version 1"]);
    assert_eq!(
        world.events(),
        ["10:45:00.000001 arrival 1.1 breached 10:45 by sgcc", "11:05 arrival 1.1 overturned 10:45: kept, due 10:45"]
    );
    publish(&mut world, "11:10", from("10:00", policy([arrival(20)])));
    assert_eq!(world.stands(), ["arrival 1.1 kept, due 10:45 by version 1"]);
    assert_eq!(world.events().len(), 2);
}

#[test]
fn a_verdict_that_was_taken_back_before_a_publication_was_none() {
    let extending = |limit| Rule { extend: vec![on(FactName::Extended)], ..arrival(limit) };
    let mut world = World::under(policy([extending(45)]));
    world.and("10:00", received(BusinessType::FaultRepair)).and("10:50", extended("12:00"));
    publish(&mut world, "11:00", from("10:00", policy([extending(150)])));
    assert_eq!(world.stands(), ["arrival 1.1 running, due 12:30 by version 2"]);
    assert_eq!(
        world.events(),
        [
            "10:45:00.000001 arrival 1.1 breached 10:45 by sgcc",
            "10:50 arrival 1.1 overturned 10:45: running, due 12:00"
        ]
    );
}

#[test]
fn each_clock_and_each_lap_is_judged_by_its_own_version() {
    let accept = |limit| rule("accept", minutes(limit), &[FactName::Dispatched], &[FactName::Accepted]);
    let mut world = World::under(policy([arrival(200), accept(60)]));
    world
        .and("10:00", received(BusinessType::FaultRepair))
        .and("10:10", dispatched(NATION, ZJ))
        .and("10:20", accepted(ZJ))
        .and("11:30", dispatched(ZJ, HZ));
    publish(&mut world, "11:40", from("11:00", policy([arrival(400), accept(20)])));
    let stands = [
        "accept 1.1 kept, due 11:10 by version 1",
        "accept 1.2 running, due 11:50 by version 2",
        "arrival 1.1 running, due 13:20 by version 1",
    ];
    assert_eq!(world.stands(), stands);
    publish(&mut world, "11:45", from("10:00", policy([arrival(300), accept(1)])));
    let stands = [
        "accept 1.1 kept, due 11:10 by version 1",
        "accept 1.2 running, due 11:50 by version 2",
        "arrival 1.1 running, due 15:00 by version 3",
    ];
    assert_eq!(world.stands(), stands);
}

#[test]
fn a_cycle_that_begins_under_a_new_version_is_judged_by_it() {
    let reply = |limit| rule("reply", minutes(limit), &[FactName::Received, FactName::Reopened], &[FactName::Replied]);
    let mut world = World::under(policy([reply(60)]));
    world.and("10:00", received(BusinessType::Complaint)).and("10:30", replied(ZJ, ReplyOutcome::Resolved));
    publish(&mut world, "11:00", from("11:00", policy([reply(30)])));
    world.and("11:10", reopened());
    assert_eq!(world.stands(), ["reply 1.1 kept, due 11:00 by version 1", "reply 2.1 running, due 11:40 by version 2"]);
}

#[test]
fn a_clock_that_ran_before_anything_was_published_is_judged_by_what_came_later() {
    let mut world = World::new(at("08:00"));
    world.and("10:00", received(BusinessType::FaultRepair));
    assert_eq!(world.stands(), Vec::<String>::new());
    publish(&mut world, "10:20", policy([arrival(45)]));
    assert_eq!(world.stands(), ["arrival 1.1 running, due 10:45 by version 1"]);
    world.publish_year(year_2024());
    publish(&mut world, "11:00", policy([arrival(90)]));
    assert_eq!(world.stands(), ["arrival 1.1 breached, due 10:45 by version 1"]);
}

#[test]
fn a_calendar_that_comes_late_moves_what_runs_and_no_verdict() {
    let reply = rule("reply", days(1), &[FactName::Received], &[FactName::Replied]);
    let mut world = World::under(policy([reply.clone()]));
    world.and("09-30 10:00", received(BusinessType::Complaint));
    assert_eq!(world.stands(), ["reply 1.1 running, due 10-01 10:00 by version 1"]);
    assert_eq!(world.clocks(ticket_id(1))[0].years_assumed(at("09-30 11:00")), [2024]);
    world.until("09-30 12:00").publish_year(year_2024());
    world.rest();
    assert_eq!(world.stands(), ["reply 1.1 running, due 10-08 10:00 by version 1"]);
    assert_eq!(world.clocks(ticket_id(1))[0].calendar_version.number, 1);
    assert_eq!(world.until("10-07 10:00").events(), Vec::<String>::new());

    let mut late = World::under(policy([reply]));
    late.and("09-30 10:00", received(BusinessType::Complaint));
    late.until("10-02 10:00").publish_year(year_2024());
    late.rest();
    assert_eq!(late.stands(), ["reply 1.1 breached, due 10-01 10:00 by version 1"]);
    assert_eq!(late.clocks(ticket_id(1))[0].calendar_version.number, 0);
    assert_eq!(late.events(), ["10-01 10:00:00.000001 reply 1.1 breached 10-01 10:00 by sgcc"]);
    late.and("10-02 11:00", received(BusinessType::Complaint));
    late.to(2, "10-02 12:00", received(BusinessType::Complaint));
    let second: Vec<String> = late.clocks(ticket_id(2)).iter().map(line).collect();
    assert_eq!(second, ["reply 1.1 running, due 10-08 12:00"], "later tickets count as the year says");
}

#[test]
fn a_year_published_anew_replaces_the_one_before() {
    let reply = rule("reply", days(1), &[FactName::Received], &[FactName::Replied]);
    let mut world = World::under(policy([reply]));
    world.publish_year(year_2024());
    world.and("03-05 10:00", received(BusinessType::Complaint));
    assert_eq!(world.stands(), ["reply 1.1 running, due 03-06 10:00 by version 1"]);
    world.publish_year(year(2024, &[("暴雨停工", "03-06", "03-06")], &[]));
    world.rest();
    assert_eq!(world.stands(), ["reply 1.1 running, due 03-07 10:00 by version 1"]);
    assert_eq!(world.clocks(ticket_id(1))[0].calendar_version.number, 2);
}

#[test]
fn another_operators_policy_is_none_of_a_tickets_business() {
    let mut world = fault();
    publish(&mut world, "10:10", Policy { operator: "csg".into(), ..from("10:00", policy([arrival(10)])) });
    assert_eq!(world.stands(), ["arrival 1.1 running, due 10:45 by version 1"]);
    let newest = super::world::registry(&world.log).newest().cloned().unwrap();
    assert_eq!(newest.operators().collect::<Vec<_>>(), ["csg", "sgcc"]);
    assert_eq!(newest.versions("nobody").len(), 0);
}

#[test]
fn a_publication_that_is_told_twice_counts_once() {
    let mut registry = registry([arrival(45)]);
    let before = registry.clone();
    registry.take_policy(&published(2, policy([arrival(10)])));
    registry.take_year(&in_force(1, year_2024()));
    assert_eq!(registry, before);
    assert_eq!(registry.editions().len(), 2);
    assert_eq!(registry.as_of(1).newest().unwrap().position, 1);
    assert!(registry.as_of(0).newest().is_none());
}

#[test]
fn a_shadow_is_kept_beside_and_judges_nothing() {
    let mut registry = registry([arrival(45)]);
    let shadow = |position, revision, event| PolicyFact { revision, event, ..published(position, policy([])) };
    let body = Box::new(PolicyPublished { policy: policy([arrival(10)]) });
    registry.take_policy(&shadow(3, 1, PolicyEvent::ShadowPublished(body)));
    let newest = registry.newest().cloned().unwrap();
    assert_eq!(newest.shadow("sgcc").unwrap().reference().version, 2);
    let mut tale = Tale::fault(None, "10:00");
    tale.facts[0].position = 4;
    let lines = |registry: &PolicyRegistry| {
        judge(&tale.clock_history(), registry, at("10:20")).iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(lines(&registry), ["arrival 1.1 running, due 10:45"]);
    let under = PolicyRegistry::of(newest.under(newest.shadow("sgcc").unwrap().policy.clone()));
    assert_eq!(lines(&under), ["arrival 1.1 breached, due 10:10"], "what it would have said");
    registry.take_policy(&shadow(5, 2, PolicyEvent::ShadowEnded(ShadowEnded {})));
    assert_eq!(registry.newest().unwrap().shadow("sgcc"), None);
}

#[test]
fn a_rule_is_found_by_the_version_that_it_was_judged_by() {
    let mut world = World::under(policy([arrival(45)]));
    world.publish(policy([arrival(30)]));
    let registry = super::world::registry(&world.log);
    let reference = |version| crate::sla::promise::VersionRef { name: "sgcc".into(), version };
    assert_eq!(registry.rule(&reference(1), "arrival").unwrap().limit, minutes(45));
    assert_eq!(registry.rule(&reference(2), "arrival").unwrap().limit, minutes(30));
    assert_eq!(registry.rule(&reference(3), "arrival"), None);
    assert_eq!(registry.rule(&reference(1), "departure"), None);
}

/// The decision on an operator's command.
fn decided<D: Decider<Command = C, State: Clone>, C>(
    state: &D::State,
    command: &C,
) -> Result<Vec<D::Event>, D::Rejection> {
    let actor = Actor { id: "a1".into(), role: Role::Operator, org: org(NATION) };
    let (now, rules) = (at("10:00"), Rules::default());
    D::decide(
        state,
        command,
        &Context { now, occurred_at: now, actor: &actor, request_id: uuid::Uuid::nil(), rules: &rules },
    )
}

#[test]
fn a_policy_is_published_when_it_says_something_new() {
    let command = |limit| PolicyCommand::Publish(Box::new(policy([arrival(limit)])));
    let shadow = |limit| PolicyCommand::PublishShadow(Box::new(policy([arrival(limit)])));
    let fold = |state, facts: &[PolicyEvent]| {
        facts.iter().fold(state, |state, fact| Policies::evolve(state, fact, at("10:00")))
    };
    let state = Policies::initial();
    assert_eq!(decided::<Policies, _>(&state, &PolicyCommand::EndShadow), Err(PolicyRejection::NoShadow));
    let facts = decided::<Policies, _>(&state, &command(45)).unwrap();
    let state = fold(state, &facts);
    assert_eq!(state.newest.as_deref(), Some(&policy([arrival(45)])));
    assert_eq!(decided::<Policies, _>(&state, &command(45)), Err(PolicyRejection::Unchanged));
    let state = fold(state.clone(), &decided::<Policies, _>(&state, &command(30)).unwrap());
    let state = fold(state.clone(), &decided::<Policies, _>(&state, &command(45)).unwrap());
    assert_eq!(state.newest.as_deref(), Some(&policy([arrival(45)])), "back to what it was is something new");
    let state = fold(state.clone(), &decided::<Policies, _>(&state, &shadow(45)).unwrap());
    assert_eq!(decided::<Policies, _>(&state, &shadow(45)), Err(PolicyRejection::Unchanged));
    let state = fold(state.clone(), &decided::<Policies, _>(&state, &PolicyCommand::EndShadow).unwrap());
    assert_eq!(state.shadow, None);
}

#[test]
fn a_year_is_published_when_it_is_sound_and_says_something_new() {
    let state = Calendars::initial();
    let facts = decided::<Calendars, _>(&state, &PublishYear { year: year_2024() }).unwrap();
    let state = facts.iter().fold(state, |state, fact| Calendars::evolve(state, fact, at("10:00")));
    let again = decided::<Calendars, _>(&state, &PublishYear { year: year_2024() });
    assert_eq!(again, Err(YearRejection::Unchanged));
    let other = year(2024, &[], &[]);
    assert!(decided::<Calendars, _>(&state, &PublishYear { year: other.clone() }).is_ok());
    let unsound = crate::sla::calendar::Year { source: String::new(), ..other };
    let refused = decided::<Calendars, _>(&state, &PublishYear { year: unsound.clone() });
    assert_eq!(refused, Err(YearRejection::Faulty(unsound.check())));
}

#[test]
fn the_statement_of_a_clock_names_everything_that_it_was_judged_by() {
    let before = |seconds| Warning { at: Threshold::Before(seconds), tell: None };
    let warned = Rule { warnings: vec![before(600), before(300)], ..arrival(45) };
    let tale = Tale::fault(None, "10:00").and("10:01", dispatched(NATION, HZ));
    let clocks = tale.judged([warned.clone()], "10:40");
    let judged = clocks[0].judged(clocks[0].due.unwrap(), org(HZ));
    assert_eq!(judged.rule, "arrival");
    assert_eq!(judged.rule_hash, "hash of arrival");
    assert_eq!((judged.policy.name.as_str(), judged.policy.version), ("sgcc", 1));
    assert_eq!((judged.calendar.name.as_str(), judged.calendar.version), ("cn", 1));
    assert_eq!(
        (in_words(judged.started), judged.started_by),
        ("10:00".to_owned(), StartedBy::Revision { started_by: 0 })
    );
    assert!(clocks[0].is(&judged.key));
    assert_eq!(
        clocks[0].warnings().map(|(level, at)| (level, in_words(at))).collect::<Vec<_>>(),
        [(1, "10:35".to_owned()), (2, "10:40".to_owned())]
    );
    let ended = tale.and("10:36", arrived(CREW)).judged([warned], "12:00");
    assert_eq!(
        ended[0].warnings().map(|(level, _)| level).collect::<Vec<_>>(),
        [1],
        "what it did not live to see is no step of it"
    );
}

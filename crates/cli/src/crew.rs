//! `crew`: enrols the crews of a roster file on a server, and follows a crew's offers and assignments. The calls that a
//! crew makes itself are under `dispatch`.

use std::process::ExitCode;

use anyhow::Context;
use clap::{ArgMatches, Command};
use serde_json::json;
use switchboard_wire::{
    answer::{position, skills},
    proto::{
        Assignment, AssignmentChange, AssignmentSnapshot, CrewOffer, EnrolCrewRequest, EnrolCrewResponse,
        ReleaseReason, TicketBrief, Urgency, WatchAssignmentsRequest, WatchAssignmentsResponse,
        assignment_change::Change, watch_assignments_response::Message,
    },
    roster_file,
};
use uuid::Uuid;

use crate::{
    calls,
    client::{Line, speaker},
    option,
    output::{self, Form},
    publish::{self, File},
    times,
};

/// The service that these commands call.
const SERVICE: &str = "DispatchService";

pub fn command() -> Command {
    let roster = Command::new("roster").about(
        "Puts the crews of roster files on the roster, or corrects what it says of them; doing it twice changes nothing",
    );
    let watch = Command::new("watch").about("Follows what a crew is offered and has, now and as it changes");
    Command::new("crew")
        .about("Crews: their roster, and what they are offered and have")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            speaker(roster, "desk").arg(publish::files_argument("The files, see deploy/rosters").required(true)),
        )
        .subcommand(
            speaker(watch, "crew")
                .arg(option("crew", "CREW", "The crew's path; the actor's unit when absent"))
                .arg(option("resume", "TOKEN", "Goes on after the message that gave this token"))
                .arg(option("limit", "N", calls::LIMIT).value_parser(clap::value_parser!(u64))),
        )
}

pub async fn run(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    match matches.subcommand().context("no such command")? {
        ("roster", matches) => roster(matches, form).await,
        (_, matches) => {
            let mut token = String::new();
            let done = tokio::select! {
                done = watch(matches, form, &mut token) => done,
                () = crate::signal::stopped() => Ok(ExitCode::SUCCESS),
            };
            // This line is printed after success and after failure. In JSON each message contains its token.
            if form == Form::Table && !token.is_empty() {
                eprintln!("Go on with:  --resume {token}");
            }
            done
        }
    }
}

// The roster.

async fn roster(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let crews = read(&publish::files(matches)?)?;
    let line = Line::of(matches).await?;
    let (mut done, mut ended) = (Enrolled::default(), Ok(()));
    for crew in crews {
        ended = enrol(&line, &crew, &mut done).await.with_context(|| format!("crew {}", crew.crew));
        if ended.is_err() {
            break;
        }
    }
    // The result is printed even after a failure, because the crews before it are enrolled.
    let Enrolled { enrolled, unchanged, position } = done;
    match form {
        Form::Json => output::json(&json!({ "enrolled": enrolled, "unchanged": unchanged, "position": position }))?,
        Form::Table => output::line(&format!("{enrolled} enrolled or corrected, {unchanged} unchanged.")),
    }
    ended.map(|()| ExitCode::SUCCESS)
}

/// The result so far.
#[derive(Default)]
struct Enrolled {
    enrolled: u64,
    unchanged: u64,
    /// The log position after the last enrolment.
    position: u64,
}

async fn enrol(line: &Line, crew: &EnrolCrewRequest, done: &mut Enrolled) -> anyhow::Result<()> {
    let answer: EnrolCrewResponse = line.ask(SERVICE, "EnrolCrew", crew).await?.transcode_to()?;
    if answer.unchanged {
        done.unchanged += 1
    } else {
        done.enrolled += 1
    }
    done.position = done.position.max(answer.outcome.map_or(0, |outcome| outcome.position));
    Ok(())
}

/// Reads all files and builds a request per crew; a fault in any file fails the whole command. Request ids are always
/// fresh. A roster that is changed and changed back is a new request, not a repetition, and the server itself detects
/// an unchanged crew.
fn read(files: &[File]) -> anyhow::Result<Vec<EnrolCrewRequest>> {
    let (mut crews, mut wrong) = (Vec::new(), Vec::new());
    for File { name, text } in files {
        match roster_file::read(name, text) {
            Err(faults) => wrong.extend(faults.iter().map(|fault| format!("{name}:{fault}"))),
            Ok(found) => crews.extend(found.into_iter().map(|crew| EnrolCrewRequest {
                request_id: Uuid::new_v4().to_string(),
                crew: crew.crew.org().to_string(),
                home: Some(position(crew.home)),
                territory: crew.territory.iter().map(ToString::to_string).collect(),
                skills: skills(crew.skills),
                members: crew.members,
                vehicle: crew.vehicle,
            })),
        }
    }
    if wrong.is_empty() { Ok(crews) } else { anyhow::bail!("{}", wrong.join("\n")) }
}

// The stream.

async fn watch(matches: &ArgMatches, form: Form, token: &mut String) -> anyhow::Result<ExitCode> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let request = WatchAssignmentsRequest { crew: text("crew"), resume_token: text("resume") };
    let limit = matches.get_one::<u64>("limit").copied().unwrap_or(u64::MAX);
    let mut seen = 0;
    let line = Line::of(matches).await?;
    let each = |message: prost_reflect::DynamicMessage| {
        seen += u64::from(calls::is_news(&message));
        match form {
            Form::Json => calls::show(&message, form)?,
            Form::Table => {
                let said: WatchAssignmentsResponse = message.transcode_to()?;
                *token = said.resume_token;
                said.message.iter().flat_map(told).for_each(|line| output::line(&line));
            }
        }
        Ok(seen < limit)
    };
    line.hear(SERVICE, "WatchAssignments", &request, each).await?;
    Ok(ExitCode::SUCCESS)
}

/// Formats a message as lines; heartbeats and checkpoints have none.
fn told(message: &Message) -> Vec<String> {
    match message {
        Message::Snapshot(snapshot) => snapshot_told(snapshot),
        Message::Change(change) => change_told(change).into_iter().collect(),
        Message::Checkpoint(_) | Message::Heartbeat(_) => Vec::new(),
    }
}

fn snapshot_told(snapshot: &AssignmentSnapshot) -> Vec<String> {
    let mut lines = vec![format!(
        "As of position {}: {} offered, {} assigned.",
        snapshot.position,
        snapshot.offers.len(),
        snapshot.assignments.len()
    )];
    lines.extend(snapshot.offers.iter().map(|offer| format!("  {}", offer_told(offer))));
    lines.extend(snapshot.assignments.iter().map(|assignment| format!("  {}", assignment_told(assignment))));
    lines
}

fn change_told(change: &AssignmentChange) -> Option<String> {
    let what = match change.change.as_ref()? {
        Change::Offered(offer) => offer_told(offer),
        Change::OfferGone(gone) => format!("gone      {} ({})", gone.ticket_id, reason(gone.why())),
        Change::Assigned(assignment) => assignment_told(assignment),
        Change::Ended(ended) => format!("ended     {} ({})", ended.ticket_id, reason(ended.why())),
        Change::News(news) => format!("news      {} {}", news.ticket_id, news.kind),
    };
    Some(format!("{}  {what}", times::shown(change.occurred_at.as_ref())))
}

fn offer_told(offer: &CrewOffer) -> String {
    let marks = [(offer.priority, " PRIORITY"), (offer.forced, " by order")];
    let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
    format!(
        "offered   {}{marks}; until {}; --offer {} --fence {}",
        brief(offer.ticket.as_ref()),
        times::shown(offer.lease_until.as_ref()),
        offer.offer,
        offer.fence
    )
}

fn assignment_told(assignment: &Assignment) -> String {
    format!("assigned  {}; since {}", brief(assignment.ticket.as_ref()), times::shown(assignment.since.as_ref()))
}

/// Formats a ticket in a few words: number, category, place, customers without power.
fn brief(ticket: Option<&TicketBrief>) -> String {
    let Some(ticket) = ticket else { return "-".into() };
    let mut words = vec![ticket.number.clone()];
    words.extend(ticket.category.clone());
    if let Some(place) = &ticket.place {
        words.extend(place.feeder.clone());
        let at = place.latitude_e6.zip(place.longitude_e6);
        words.extend(at.map(|(north, east)| format!("{:.4},{:.4}", f64::from(north) / 1e6, f64::from(east) / 1e6)));
    }
    words.extend(ticket.customers_out.map(|customers| format!("{customers} without power")));
    if ticket.urgency() == Urgency::Urgent {
        words.push("urgent".into());
    }
    words.join(" ")
}

fn reason(why: ReleaseReason) -> String {
    why.as_str_name().trim_start_matches("RELEASE_REASON_").to_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use switchboard_wire::proto::{AssignmentEnded, Checkpoint, OfferGone, Place, TicketNews};

    use super::*;

    fn offer() -> CrewOffer {
        CrewOffer {
            offer: "0d6a".into(),
            fence: 7,
            lease_until: Some(prost_types::Timestamp { seconds: 1_704_068_999, nanos: 0 }),
            priority: true,
            forced: false,
            ticket: Some(TicketBrief {
                ticket_id: "a1".into(),
                number: "2026112200000001".into(),
                place: Some(Place {
                    feeder: Some("10kV-F003".into()),
                    latitude_e6: Some(30_245_600),
                    longitude_e6: Some(-120_100_000),
                    ..Place::default()
                }),
                category: Some("a/b".into()),
                urgency: Urgency::Urgent.into(),
                customers_out: Some(12),
                reported_at: None,
            }),
        }
    }

    fn change(change: Change) -> Vec<String> {
        told(&Message::Change(AssignmentChange { change: Some(change), ..AssignmentChange::default() }))
    }

    #[test]
    fn every_shipped_roster_has_no_fault_and_a_faulty_one_is_told_line_by_line() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/rosters");
        let paths = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let files: Vec<File> = paths.map(|path| File::read(path.to_str().unwrap()).unwrap()).collect();
        assert!(!files.is_empty());
        let crews = read(&files).unwrap();
        assert!(!crews.is_empty() && crews.iter().all(|crew| crew.home.is_some() && !crew.skills.is_empty()));
        let wrong = File { name: "r.toml".into(), text: "colour = 1\n".into() };
        let told = read(&[wrong.clone(), wrong]).unwrap_err().to_string();
        assert!(told.lines().count() >= 2 && told.lines().all(|line| line.starts_with("r.toml:")), "{told}");
    }

    #[test]
    fn an_offer_says_what_where_until_when_and_how_to_take_it() {
        let line = change(Change::Offered(offer())).remove(0);
        for part in [
            "offered",
            "2026112200000001",
            "a/b",
            "10kV-F003",
            "30.2456,-120.1000",
            "12 without power",
            "urgent",
            "PRIORITY",
            "2024-01-01 08:29:59",
            "--offer 0d6a --fence 7",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert!(!line.contains("by order"), "{line}");
        assert!(change(Change::Offered(CrewOffer { forced: true, ..offer() }))[0].contains("by order"));
    }

    #[test]
    fn what_ends_says_why_in_words() {
        let gone =
            OfferGone { ticket_id: "a1".into(), why: ReleaseReason::TakenByOther.into(), ..OfferGone::default() };
        assert!(change(Change::OfferGone(gone))[0].contains("a1 (taken by other)"));
        let ended = AssignmentEnded { ticket_id: "a1".into(), why: ReleaseReason::Recalled.into() };
        assert!(change(Change::Ended(ended))[0].contains("a1 (recalled)"));
        let news = TicketNews { ticket_id: "a1".into(), kind: "ticket.urged.v1".into() };
        assert!(change(Change::News(news))[0].contains("ticket.urged.v1"));
    }

    #[test]
    fn a_snapshot_is_counted_and_listed_and_a_checkpoint_is_silent() {
        let assigned = Assignment { ticket: offer().ticket, ..Assignment::default() };
        let snapshot = AssignmentSnapshot { position: 9, offers: vec![offer()], assignments: vec![assigned] };
        let lines = told(&Message::Snapshot(snapshot));
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], "As of position 9: 1 offered, 1 assigned.");
        assert!(lines[2].contains("assigned  2026112200000001"), "{lines:?}");
        assert!(told(&Message::Checkpoint(Checkpoint::default())).is_empty());
    }
}

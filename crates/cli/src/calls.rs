//! `ticket`, `dispatch`, `intake`, `audit`, `board`, `admin`: every call of the API as a command, generated from the
//! protos. A field becomes an option, and a nested field an option with a dotted name. An enum value becomes its short
//! name in lower case. The comment in the proto becomes the help. Each message of a list is one option in protobuf's
//! JSON. Commands that are written by hand complement these: [`crate::crew`], [`crate::policy`], [`crate::calendar`],
//! [`crate::kpi`].

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor, MethodDescriptor,
    ReflectMessage, SerializeOptions, Value,
};
use uuid::Uuid;

use crate::{
    client::{self, Caller, speaker, with_own_org},
    names::screaming,
    only::NO_NEWS,
    option,
    output::{self, Form},
};

/// The command, its service, and its help.
const SERVICES: [(&str, &str, &str); 6] = [
    ("ticket", "switchboard.v1.TicketService", "Commands to tickets, and questions about them"),
    (
        "dispatch",
        "switchboard.v1.DispatchService",
        "Crews, offers and the plan, call by call; `crew` is made for people",
    ),
    ("intake", "switchboard.v1.IntakeService", "What IVR and bots ask while a caller waits"),
    ("audit", "switchboard.v1.AuditService", "The raw facts, from any position"),
    ("board", "switchboard.v1.BoardService", "Figures over many tickets, call by call; `kpi` is made for people"),
    (
        "admin",
        "switchboard.v1.AdminService",
        "Policies and calendars, call by call; `policy` and `calendar` are made for people",
    ),
];

/// The help of `--limit` on a stream.
pub const LIMIT: &str =
    "End after so many facts, changes or other news; checkpoints, heartbeats and progress do not count";

/// Returns one command per service, with one subcommand per call.
pub fn commands() -> Vec<Command> {
    let Ok(pool) = client::pool() else { return Vec::new() };
    let service = |(name, service, about): (&'static str, &str, &'static str)| {
        let command = Command::new(name).about(about).subcommand_required(true).arg_required_else_help(true);
        let methods = pool.get_service_by_name(service);
        let calls = methods.iter().flat_map(|service| service.methods().collect::<Vec<_>>());
        // Only operators may publish, and operators may also make the service's queries.
        let role = if name == "admin" { "operator" } else { "desk" };
        calls.fold(command, |command, method| command.subcommand(call_command(&method, role)))
    };
    SERVICES.into_iter().map(service).collect()
}

fn call_command(method: &MethodDescriptor, role: &'static str) -> Command {
    let file = method.parent_service().parent_file();
    let command = speaker(Command::new(kebab(method.name())).about(comment(&file, method.path())), role);
    let command = if method.is_server_streaming() {
        command.arg(option("limit", "N", LIMIT).value_parser(clap::value_parser!(u64)))
    } else {
        command
    };
    let leaves = leaves(&method.input(), "");
    let command = if leaves.iter().any(|leaf| leaf.name == "org") { with_own_org(command) } else { command };
    leaves.into_iter().fold(command, |command, leaf| command.arg(leaf.argument()))
}

/// One settable field of a request, at any depth, as an argument.
struct Leaf {
    name: String,
    field: FieldDescriptor,
}

impl Leaf {
    fn argument(&self) -> Arg {
        let help = comment(&self.field.parent_message().parent_file(), self.field.path());
        let argument = Arg::new(self.name.clone()).help(help);
        if self.name == "ticket" {
            return argument.value_name("TICKET").required(true);
        }
        let argument = argument.long(self.name.clone());
        match self.field.kind() {
            _ if self.field.is_list() => argument.action(ArgAction::Append).value_name(self.value_name()),
            Kind::Bool => argument.action(ArgAction::SetTrue),
            Kind::Message(message) if !is_time(&message) => argument.action(ArgAction::SetTrue),
            // A longitude or a clock correction may be negative.
            _ => argument.value_name(self.value_name()).allow_negative_numbers(self.value_name() == "N"),
        }
    }

    fn value_name(&self) -> &'static str {
        match self.field.kind() {
            Kind::Enum(_) => "NAME",
            Kind::Message(message) if is_time(&message) => "TIME",
            Kind::Message(_) => "JSON",
            Kind::String => "TEXT",
            _ => "N",
        }
    }
}

/// Returns the settable fields of a message. A message without fields is one such field itself (a choice without data).
fn leaves(message: &MessageDescriptor, prefix: &str) -> Vec<Leaf> {
    let mut found = Vec::new();
    for field in message.fields() {
        // The fields of the header have no prefix.
        let name =
            if field.name() == "header" { prefix.to_owned() } else { format!("{prefix}{}", kebab(field.name())) };
        match field.kind() {
            Kind::Message(inner) if !is_time(&inner) && !field.is_list() && inner.fields().len() > 0 => {
                let choice = field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic());
                let prefix = if name.is_empty() { String::new() } else { format!("{name}.") };
                found.extend(leaves(&inner, &prefix));
                if choice {
                    found.push(Leaf { name, field });
                }
            }
            _ => found.push(Leaf { name, field }),
        }
    }
    found
}

/// Runs one call and prints its answers, until the stream ends or a signal arrives.
pub async fn run(service: &str, matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let work = make(service, matches, |answer| show(&answer, form));
    tokio::select! {
        done = work => done?,
        () = crate::signal::stopped() => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs one call and returns its answer as JSON.
pub async fn answer(service: &str, matches: &ArgMatches) -> anyhow::Result<serde_json::Value> {
    let mut answered = serde_json::Value::Null;
    let keep = |answer: DynamicMessage| {
        answered = printable(&answer, Form::Json)?;
        Ok(())
    };
    make(service, matches, keep).await?;
    Ok(answered)
}

/// Makes the call that the arguments describe; `each` receives every message of the answer.
async fn make(
    service: &str,
    matches: &ArgMatches,
    mut each: impl FnMut(DynamicMessage) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let pool = client::pool()?;
    let known = SERVICES.iter().find(|(name, ..)| *name == service).context("no such command")?;
    let service = pool.get_service_by_name(known.1).context("the service is not in the protos")?;
    let (name, matches) = matches.subcommand().context("no such call")?;
    let method = service.methods().find(|method| kebab(method.name()) == name).context("no such call")?;
    let mut body = DynamicMessage::new(method.input());
    fill(&mut body, matches, "")?;
    name_request(&mut body);
    let limit = matches.try_get_one::<u64>("limit").ok().flatten().copied().unwrap_or(u64::MAX);
    let channel = client::connect(matches.get_one::<String>("server").context("no server")?).await?;
    let mut seen = 0;
    let limited = |answer| {
        seen += u64::from(is_news(&answer));
        each(answer)?;
        Ok(seen < limit)
    };
    client::call(channel, &method, body, &Caller::of(matches), limited).await
}

/// True if a message of a stream carries data; false for checkpoints, heartbeats and progress.
pub fn is_news(message: &DynamicMessage) -> bool {
    !NO_NEWS.iter().any(|name| message.has_field_by_name(name))
}

/// Sets the fields that the arguments give. Returns true if there was any.
fn fill(message: &mut DynamicMessage, matches: &ArgMatches, prefix: &str) -> anyhow::Result<bool> {
    let mut said = false;
    for field in message.descriptor().fields() {
        let name =
            if field.name() == "header" { prefix.to_owned() } else { format!("{prefix}{}", kebab(field.name())) };
        if let Kind::Message(inner) = field.kind()
            && !is_time(&inner)
            && !field.is_list()
        {
            let prefix = if name.is_empty() { String::new() } else { format!("{name}.") };
            let mut nested = DynamicMessage::new(inner);
            let chosen = matches.try_get_one::<bool>(&name).ok().flatten().copied().unwrap_or(false);
            if fill(&mut nested, matches, &prefix)? || chosen {
                message.set_field(&field, Value::Message(nested));
                said = true;
            }
            continue;
        }
        if field.kind() == Kind::Bool {
            if matches.get_flag(&name) {
                message.set_field(&field, Value::Bool(true));
                said = true;
            }
            continue;
        }
        let values = matches.get_many::<String>(&name).into_iter().flatten();
        let values = values.map(|text| read(&field, text).with_context(|| format!("--{name} {text}")));
        let values = values.collect::<anyhow::Result<Vec<_>>>()?;
        if field.is_list() && !values.is_empty() {
            message.set_field(&field, Value::List(values));
            said = true;
        } else if let Some(value) = values.into_iter().next() {
            message.set_field(&field, value);
            said = true;
        }
    }
    Ok(said)
}

/// Parses the value of one field.
fn read(field: &FieldDescriptor, text: &str) -> anyhow::Result<Value> {
    Ok(match field.kind() {
        Kind::String => Value::String(text.into()),
        Kind::Uint64 => Value::U64(text.parse()?),
        Kind::Int64 => Value::I64(text.parse()?),
        Kind::Uint32 => Value::U32(text.parse()?),
        Kind::Sint32 | Kind::Int32 => Value::I32(text.parse()?),
        Kind::Enum(list) => Value::EnumNumber(number(&list, text)?),
        Kind::Message(inner) if !is_time(&inner) => {
            let mut json = serde_json::Deserializer::from_str(text);
            let message = DynamicMessage::deserialize(inner, &mut json).context("not the JSON of a message")?;
            json.end().context("something follows the JSON of a message")?;
            Value::Message(message)
        }
        Kind::Message(time) => {
            let at = chrono::DateTime::parse_from_rfc3339(text)
                .context("not an instant such as 2026-11-21T08:00:00+08:00")?;
            let mut message = DynamicMessage::new(time);
            message.set_field_by_name("seconds", Value::I64(at.timestamp()));
            message.set_field_by_name("nanos", Value::I32(at.timestamp_subsec_nanos().cast_signed()));
            Value::Message(message)
        }
        other => bail!("a {other:?} cannot be given on the command line"),
    })
}

/// Returns the number of an enum value by its short name.
fn number(list: &EnumDescriptor, text: &str) -> anyhow::Result<i32> {
    let prefix = format!("{}_", screaming(list.name()));
    let short = |name: &str| name.strip_prefix(&prefix).unwrap_or(name).to_lowercase();
    let wanted = text.to_lowercase().replace('-', "_");
    if let Some(value) = list.values().find(|value| short(value.name()) == wanted && value.number() != 0) {
        return Ok(value.number());
    }
    let names: Vec<String> = list.values().filter(|v| v.number() != 0).map(|v| short(v.name())).collect();
    bail!("one of {}", names.join(", "))
}

/// Gives a request without a request id a fresh one.
fn name_request(body: &mut DynamicMessage) {
    let id = Value::String(Uuid::new_v4().to_string());
    for holder in ["header", "receive"] {
        if let Some(field) = body.descriptor().get_field_by_name(holder)
            && let Value::Message(inner) = body.get_field_mut(&field)
        {
            name_request(inner);
        }
    }
    if let Some(field) = body.descriptor().get_field_by_name("request_id")
        && !body.has_field(&field)
    {
        body.set_field(&field, id);
    }
}

/// Prints an answer.
pub fn show(answer: &DynamicMessage, form: Form) -> anyhow::Result<()> {
    let value = printable(answer, form)?;
    match form {
        Form::Json => output::json(&value)?,
        Form::Table => output::value(&value),
    }
    Ok(())
}

/// Converts an answer to JSON. For a table, fields with default values are omitted.
pub fn printable(answer: &DynamicMessage, form: Form) -> anyhow::Result<serde_json::Value> {
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .stringify_64_bit_integers(false)
        .skip_default_fields(form == Form::Table);
    let mut value = answer.serialize_with_options(serde_json::value::Serializer, &options)?;
    output::shorten(&mut value, &answer.descriptor());
    Ok(value)
}

fn is_time(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.protobuf.Timestamp"
}

/// Converts `CloseAtFirstContact` and `close_at_first_contact` to `close-at-first-contact`.
fn kebab(name: &str) -> String {
    screaming(name).to_lowercase().replace('_', "-")
}

/// Returns the comment above an element of a proto file.
fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let location = info.and_then(|info| info.location.iter().find(|location| location.path == path));
    location.and_then(|location| location.leading_comments.as_deref()).unwrap_or_default().trim().replace("\n ", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(arguments: &[&str]) -> anyhow::Result<serde_json::Value> {
        let commands = commands().into_iter().fold(Command::new("switchboard"), Command::subcommand);
        let matches = commands.try_get_matches_from([&["switchboard"], arguments].concat())?;
        let (_, matches) = matches.subcommand().context("no service")?;
        let (name, matches) = matches.subcommand().context("no call")?;
        let service = client::pool()?.get_service_by_name("switchboard.v1.DispatchService").context("no service")?;
        let method = service.methods().find(|method| kebab(method.name()) == name).context("no call")?;
        let mut body = DynamicMessage::new(method.input());
        fill(&mut body, matches, "")?;
        printable(&body, Form::Table)
    }

    #[test]
    fn a_list_of_messages_is_given_one_by_one_as_json() {
        let (first, second) = (
            r#"{"from":"2026-03-03T04:00:00Z","until":"2026-03-03T05:00:00Z"}"#,
            r#"{"from":"2026-03-03T08:00:00Z","until":"2026-03-03T08:30:00Z"}"#,
        );
        let asked = request(&[
            "dispatch",
            "start-shift",
            "--until",
            "2026-03-03T10:00:00Z",
            "--breaks",
            first,
            "--breaks",
            second,
        ]);
        let breaks = asked.unwrap()["breaks"].clone();
        let expected: Vec<serde_json::Value> =
            [first, second].iter().map(|b| serde_json::from_str(b).unwrap()).collect();
        assert_eq!(breaks, serde_json::Value::Array(expected));
        for wrong in ["{", r#"{"colour":1}"#, "{} {}"] {
            let refused = request(&["dispatch", "start-shift", "--breaks", wrong]).unwrap_err();
            assert!(format!("{refused:#}").contains("--breaks"), "{refused:#}");
        }
    }

    #[test]
    fn what_lies_west_or_south_is_given_below_zero() {
        let asked =
            request(&["dispatch", "report-position", "--at.longitude-e6", "-120000000", "--clock-offset-ms", "-5"]);
        let asked = asked.unwrap();
        assert_eq!((&asked["at"]["longitude_e6"], &asked["clock_offset_ms"]), (&(-120_000_000).into(), &(-5).into()));
    }

    #[test]
    fn a_list_of_names_takes_the_option_once_for_each() {
        let asked = request(&["dispatch", "enrol-crew", "--skills", "cable", "--skills", "low-voltage"]).unwrap();
        assert_eq!(asked["skills"], serde_json::json!(["cable", "low_voltage"]));
    }
}

//! Calls to a server by the protos' descriptors: any method, any message. Absent: the contents of requests and answers.

use std::time::Duration;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use switchboard_wire::proto;
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::AsciiMetadataValue,
    transport::{Channel, Endpoint},
};

use crate::{option, server};

/// The limit for one unary call and for one connection attempt.
const PATIENCE: Duration = Duration::from_secs(10);

/// Returns the descriptors of the whole API.
pub fn pool() -> anyhow::Result<DescriptorPool> {
    Ok(DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET)?)
}

/// The actor of a call, and the language of the answer.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The actor's id.
    pub id: String,
    /// The actor's role.
    pub role: String,
    /// The actor's unit.
    pub org: String,
    /// The language of sentences, `zh-CN` or `en`.
    pub language: String,
}

/// The id of the option for the actor's unit, and its name on a command whose own `--org` means something else.
pub const ACTOR_ORG: &str = "actor-org";

/// Adds the options of every call to a command: the server and the actor. The default actor has the given role.
pub fn speaker(command: Command, role: &'static str) -> Command {
    command
        .arg(server())
        .arg(option("actor", "ID", "Who acts").default_value(format!("{role}-1")).env("SWITCHBOARD_ACTOR"))
        .arg(
            option("role", "ROLE", "In which role: ivr, agent, desk, crew, inspector, auditor, operator, importer")
                .default_value(role)
                .env("SWITCHBOARD_ROLE"),
        )
        .arg(option("org", "UNIT", "For which unit").id(ACTOR_ORG).default_value("sgcc").env("SWITCHBOARD_ORG"))
        .arg(
            option("language", "LANGUAGE", "Language of sentences: zh-CN or en")
                .default_value("en")
                .env("SWITCHBOARD_LANGUAGE"),
        )
}

/// Frees `--org` of a command for the request; the actor's unit then is `--actor-org`.
pub fn with_own_org(command: Command) -> Command {
    command.mut_arg(ACTOR_ORG, |argument| argument.long(ACTOR_ORG))
}

/// Builds the option that waits for a position of the log.
pub fn min_position() -> Arg {
    option("min-position", "N", "The answer must be true at least for this log position; waits within the deadline")
        .value_parser(clap::value_parser!(u64))
}

impl Caller {
    /// Returns the default actor of that role.
    pub fn in_role(role: &str) -> Self {
        Self { id: format!("{role}-1"), role: role.into(), org: "sgcc".into(), language: "en".into() }
    }

    /// Returns the actor that the options of [`speaker`] name.
    pub fn of(matches: &ArgMatches) -> Self {
        let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
        Self { id: text("actor"), role: text("role"), org: text(ACTOR_ORG), language: text("language") }
    }
}

/// An open connection with its actor.
#[derive(Debug)]
pub struct Line {
    channel: Channel,
    pool: DescriptorPool,
    /// The actor of all calls.
    pub caller: Caller,
}

impl Line {
    /// Connects as the options of [`speaker`] say.
    pub async fn of(matches: &ArgMatches) -> anyhow::Result<Self> {
        let server = matches.get_one::<String>("server").context("no server")?;
        Self::to(server, Caller::of(matches)).await
    }

    /// Connects to `server`.
    pub async fn to(server: &str, caller: Caller) -> anyhow::Result<Self> {
        Ok(Self { pool: pool()?, channel: connect(server).await?, caller })
    }

    /// Makes a call and returns the first message of the answer.
    pub async fn ask(&self, service: &str, call: &str, request: &impl Message) -> anyhow::Result<DynamicMessage> {
        let mut answered = None;
        let keep = |answer| {
            answered = Some(answer);
            Ok(false)
        };
        self.hear(service, call, request, keep).await?;
        answered.context("the server ended without an answer")
    }

    /// Makes a call and passes every message of the answer to `each`, until it returns false.
    pub async fn hear(
        &self,
        service: &str,
        name: &str,
        request: &impl Message,
        each: impl FnMut(DynamicMessage) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let service = self.pool.get_service_by_name(&format!("switchboard.v1.{service}"));
        let method = service.and_then(|service| service.methods().find(|method| method.name() == name));
        let method = method.with_context(|| format!("{name} is not in the protos"))?;
        let mut body = DynamicMessage::new(method.input());
        body.transcode_from(request)?;
        call(self.channel.clone(), &method, body, &self.caller, each).await
    }
}

/// Connects to a server.
pub async fn connect(server: &str) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(server.to_owned()).with_context(|| format!("{server} is no address"))?;
    let channel = endpoint.connect_timeout(PATIENCE).tcp_nodelay(true).connect().await;
    channel.with_context(|| format!("no server answers at {server}; start one with `switchboard serve`"))
}

fn request<T>(body: T, caller: &Caller) -> anyhow::Result<Request<T>> {
    let mut request = Request::new(body);
    for (name, value) in [
        ("x-actor-id", &caller.id),
        ("x-actor-role", &caller.role),
        ("x-actor-org", &caller.org),
        ("accept-language", &caller.language),
    ] {
        let value: AsciiMetadataValue = value.parse().with_context(|| format!("{name}: {value:?} cannot be sent"))?;
        request.metadata_mut().insert(name, value);
    }
    Ok(request)
}

/// Makes one call and passes every message of the answer to `each`, until it returns false. Only a unary call has a
/// time limit.
pub async fn call(
    channel: Channel,
    method: &MethodDescriptor,
    body: DynamicMessage,
    caller: &Caller,
    mut each: impl FnMut(DynamicMessage) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path = http::uri::PathAndQuery::try_from(path)?;
    let codec = Dynamic { answer: method.output() };
    let mut grpc = Grpc::new(channel);
    grpc.ready().await?;
    let mut request = request(body, caller)?;
    if method.is_server_streaming() {
        let mut stream = grpc.server_streaming(request, path, codec).await?.into_inner();
        while let Some(message) = stream.message().await? {
            if !each(message)? {
                break;
            }
        }
    } else {
        request.set_timeout(PATIENCE);
        each(grpc.unary(request, path, codec).await?.into_inner())?;
    }
    Ok(())
}

/// The codec of messages that are known only by their descriptors.
#[derive(Clone, Debug)]
struct Dynamic {
    answer: MessageDescriptor,
}

impl Codec for Dynamic {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        self.clone()
    }

    fn decoder(&mut self) -> Self {
        self.clone()
    }
}

impl Encoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, item: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let message = DynamicMessage::decode(self.answer.clone(), buffer);
        message.map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}

//! Calling a server by the protos' descriptors: any method, any message, without generated code.

use std::time::Duration;

use anyhow::Context;
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

/// How long a call may take, and a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// The descriptors of the whole API.
pub fn pool() -> anyhow::Result<DescriptorPool> {
    Ok(DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET)?)
}

/// Who calls, and how to be answered.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Actor id.
    pub id: String,
    /// Role.
    pub role: String,
    /// Unit.
    pub org: String,
    /// Language of sentences.
    pub language: String,
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

/// Makes one call and gives every message of the answer to `each`, until it says no.
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

/// Messages by their descriptors.
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

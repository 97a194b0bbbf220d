//! A protobuf codec with small buffers. tonic allocates 8 KiB for each direction of every call, and a stream keeps its
//! buffers as long as it lives. Most messages here have some hundred bytes.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{BufferSettings, Codec};
use tonic_prost::ProstCodec;

/// The initial size of a buffer, in bytes. It grows for a longer message.
const BUFFER_BYTES: usize = 1024;
/// Encoded bytes are passed to the transport at this size at the latest: tonic's default.
const HANDED_ON_BYTES: usize = 32 * 1024;

/// The protobuf codec, with buffers sized for short messages.
#[derive(Clone, Copy, Debug)]
pub struct ShortMessages<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for ShortMessages<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for ShortMessages<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = <ProstCodec<T, U> as Codec>::Encoder;
    type Decoder = <ProstCodec<T, U> as Codec>::Decoder;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::raw_encoder(BufferSettings::new(BUFFER_BYTES, HANDED_ON_BYTES))
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<T, U>::raw_decoder(BufferSettings::new(BUFFER_BYTES, HANDED_ON_BYTES))
    }
}

#[cfg(test)]
mod tests {
    use tonic::{
        Streaming,
        codec::{EncodeBody, Encoder as _},
    };

    use super::*;

    #[tokio::test]
    async fn messages_shorter_and_longer_than_the_buffer_come_across_as_they_were_sent() {
        let mut codec = ShortMessages::<String, String>::default();
        let lengths = [0, 1, BUFFER_BYTES - 1, BUFFER_BYTES, 5 * BUFFER_BYTES, 3 * HANDED_ON_BYTES, 7];
        let sent = lengths.map(|length| "z".repeat(length));
        let source = tokio_stream::iter(sent.clone().map(Ok));
        let body = EncodeBody::new_client(codec.encoder(), source, None, None);
        let mut arriving = Streaming::new_request(codec.decoder(), body, None, None);
        for message in sent {
            assert_eq!(arriving.message().await.unwrap(), Some(message));
        }
        assert_eq!(arriving.message().await.unwrap(), None);
    }

    #[test]
    fn a_call_begins_with_a_smaller_buffer_than_by_default() {
        // The settings are readable only through `Debug`.
        let ours = format!("{:?}", ShortMessages::<String, String>::default().encoder().buffer_settings());
        assert!(ours.contains(&format!("buffer_size: {BUFFER_BYTES}")), "{ours}");
        let theirs = format!("{:?}", ProstCodec::<String, String>::default().encoder().buffer_settings());
        assert_ne!(ours, theirs);
    }
}

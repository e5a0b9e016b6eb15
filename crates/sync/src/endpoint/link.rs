//! One connection: its frames, and how it ends.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use iroh::TransportAddr;
use iroh::endpoint::{
    ConnectionError, ReadError, ReadExactError, RecvStream, SendStream, Side, VarInt, WriteError,
};
use store::entry::DeviceId;

use super::{CLOSE_BAD_FRAME, CLOSE_NOT_ENROLLED, CLOSE_PUT_OUT, CLOSE_REPLACED};
use crate::frame::FRAME_BYTES_MAX;

/// The first byte of a stream that carries a session. Others are kept for blobs.
const SESSION_STREAM: u8 = 0;
const EXPORTER_LABEL: &[u8] = b"medround pairing exporter 1";

/// One connection to one device: what it is, and the two ends of its stream of frames.
#[derive(Debug)]
pub struct Connection {
    /// The connection itself.
    pub link: Link,
    /// Frames to the device.
    pub sender: FrameSender,
    /// Frames from the device.
    pub receiver: FrameReceiver,
}

impl Connection {
    pub(super) fn new(link: Link, sender: SendStream, receiver: RecvStream) -> Self {
        Self {
            sender: FrameSender(sender),
            receiver: FrameReceiver { stream: receiver, link: link.clone() },
            link,
        }
    }
}

/// A connection, without its stream.
#[derive(Debug, Clone)]
pub struct Link(pub(super) iroh::endpoint::Connection);

impl Link {
    /// Returns the other device's id, which TLS has proved.
    pub fn device(&self) -> DeviceId {
        DeviceId(*self.0.remote_id().as_bytes())
    }

    /// Returns whether this side dialled.
    pub fn dialled_here(&self) -> bool {
        self.0.side() == Side::Client
    }

    /// Returns the other device's address as it is now.
    pub fn address(&self) -> Option<SocketAddr> {
        let paths = self.0.paths();
        let path = paths.iter().find(|path| path.is_selected());
        let path = path.or_else(|| paths.iter().next())?;
        if let TransportAddr::Ip(address) = path.remote_addr() { Some(*address) } else { None }
    }

    /// Returns how long a round trip takes at present.
    pub fn rtt(&self) -> Option<Duration> {
        self.0.paths().iter().map(|path| path.rtt()).min()
    }

    /// Closes the connection with a number and words for the other side.
    pub fn close(&self, code: u32, reason: &str) {
        self.0.close(VarInt::from_u32(code), reason.as_bytes());
    }

    /// Returns why the connection has ended, `None` while it stands.
    pub fn ended(&self) -> Option<Ended> {
        self.0.close_reason().map(Ended::from)
    }

    /// Waits until the connection has ended, and returns why.
    pub async fn closed(&self) -> Ended {
        self.0.closed().await.into()
    }

    pub(super) async fn open_stream(self) -> Result<Connection, Ended> {
        let (mut sender, receiver) = self.0.open_bi().await?;
        // The other side sees the stream only once something is written.
        sender.write_all(&[SESSION_STREAM]).await?;
        Ok(Connection::new(self, sender, receiver))
    }

    pub(super) async fn accept_stream(self) -> Result<Connection, Ended> {
        let (sender, mut receiver) = self.0.accept_bi().await?;
        let mut kind = [0];
        receiver.read_exact(&mut kind).await?;
        if kind != [SESSION_STREAM] {
            self.close(CLOSE_BAD_FRAME, "no such stream");
            return Err(Ended::BadFrame(u32::from(kind[0])));
        }
        Ok(Connection::new(self, sender, receiver))
    }

    pub(super) fn exporter(&self) -> Result<[u8; 32], Ended> {
        let mut exporter = [0; 32];
        self.0
            .export_keying_material(&mut exporter, EXPORTER_LABEL, b"")
            .map_err(|_| Ended::Broken("its TLS session gives no keying material".into()))?;
        Ok(exporter)
    }
}

/// Sends frames.
#[derive(Debug)]
pub struct FrameSender(SendStream);

impl FrameSender {
    /// Sends a frame. Returns when the connection has taken it, which it does as fast as the other
    /// side reads.
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), Ended> {
        let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        if frame.is_empty() || frame.len() > FRAME_BYTES_MAX {
            return Err(Ended::BadFrame(length));
        }
        let whole = Bytes::from([&length.to_be_bytes(), frame].concat());
        Ok(self.0.write_chunk(whole).await?)
    }

    /// Says that nothing more comes, and waits until the other side has everything.
    pub async fn finish(mut self) {
        if self.0.finish().is_ok() {
            // Whether it was received or the connection is gone: there is nothing left to do.
            drop(self.0.stopped().await);
        }
    }
}

/// Receives frames.
#[derive(Debug)]
pub struct FrameReceiver {
    stream: RecvStream,
    link: Link,
}

impl FrameReceiver {
    /// Returns the next frame. Not to be dropped halfway: what was read of a frame would be lost.
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended. A length that no frame has ends it here.
    pub async fn receive(&mut self) -> Result<Vec<u8>, Ended> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).await?;
        let length = u32::from_be_bytes(length);
        match usize::try_from(length) {
            Ok(bytes @ 1..=FRAME_BYTES_MAX) => {
                let mut frame = vec![0; bytes];
                self.stream.read_exact(&mut frame).await?;
                Ok(frame)
            }
            Ok(_) | Err(_) => {
                self.link.close(CLOSE_BAD_FRAME, "no frame has this length");
                Err(Ended::BadFrame(length))
            }
        }
    }
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// One of the two is not, or no longer, enrolled with the other.
    #[error("the device is not enrolled in this home")]
    NotEnrolled,
    /// The other device says that this one was put out of the home.
    #[error("this device was put out of the home")]
    PutOut,
    /// Another connection to the same device took its place.
    #[error("another connection to the device took its place")]
    Replaced,
    /// Nothing was heard for too long.
    #[error("the device fell silent")]
    Silent,
    /// The other side closed it.
    #[error("the device closed the connection ({code}): {reason}")]
    Closed {
        /// Its number.
        code: u32,
        /// Its words.
        reason: String,
    },
    /// This side closed it.
    #[error("the connection was closed here")]
    ClosedHere,
    /// The other side sent a length that no frame has.
    #[error("the device sent a frame of {0} bytes; at most 262144 are allowed")]
    BadFrame(u32),
    /// Something else.
    #[error("the connection broke: {0}")]
    Broken(String),
}

impl From<ConnectionError> for Ended {
    fn from(fault: ConnectionError) -> Self {
        match fault {
            ConnectionError::ApplicationClosed(close) => {
                match u32::try_from(close.error_code.into_inner()).unwrap_or(u32::MAX) {
                    CLOSE_NOT_ENROLLED => Self::NotEnrolled,
                    CLOSE_PUT_OUT => Self::PutOut,
                    CLOSE_REPLACED => Self::Replaced,
                    code => Self::Closed {
                        code,
                        reason: String::from_utf8_lossy(&close.reason).into_owned(),
                    },
                }
            }
            ConnectionError::TimedOut => Self::Silent,
            ConnectionError::LocallyClosed => Self::ClosedHere,
            ConnectionError::VersionMismatch
            | ConnectionError::TransportError(_)
            | ConnectionError::ConnectionClosed(_)
            | ConnectionError::Reset
            | ConnectionError::CidsExhausted => Self::Broken(fault.to_string()),
        }
    }
}

impl From<WriteError> for Ended {
    fn from(fault: WriteError) -> Self {
        if let WriteError::ConnectionLost(fault) = fault {
            fault.into()
        } else {
            Self::Broken(fault.to_string())
        }
    }
}

impl From<ReadExactError> for Ended {
    fn from(fault: ReadExactError) -> Self {
        if let ReadExactError::ReadError(ReadError::ConnectionLost(fault)) = fault {
            fault.into()
        } else {
            Self::Broken(fault.to_string())
        }
    }
}

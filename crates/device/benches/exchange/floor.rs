//! The floors: bytes made safe by themselves, and bytes sent by themselves.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use store::entry::Sealed;
use sync::endpoint::{
    Connection, Endpoint, EndpointConfig, FrameReceiver, FrameSender, Link, Listen, public_half,
};
use tokio::runtime::{Builder, Runtime};

/// The entries of one frame: what a device reads from its disk at one time.
const FRAME_BYTES: usize = 192 * 1024;

/// The bytes of one entry appended to a file and made safe.
pub(crate) struct RawAppend {
    file: File,
    bytes: Vec<u8>,
    delay: Duration,
}

impl RawAppend {
    pub(crate) fn new(folder: &Path, entry: &Sealed, delay: Duration) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(folder.join("raw")).unwrap();
        Self { file, bytes: entry.bytes().to_vec(), delay }
    }

    pub(crate) fn append(&mut self) {
        self.file.write_all(&self.bytes).unwrap();
        self.file.sync_data().unwrap();
        if !self.delay.is_zero() {
            std::thread::sleep(self.delay);
        }
    }
}

/// Returns the bytes of these entries as they cross the network, cut into frames.
pub(crate) fn frames(entries: &[Sealed]) -> Vec<Vec<u8>> {
    let mut frames = vec![Vec::new()];
    for short in entries.iter().map(Sealed::short) {
        if frames.last().is_some_and(|frame| frame.len() + short.len() + 2 > FRAME_BYTES) {
            frames.push(Vec::new());
        }
        let frame = frames.last_mut().unwrap();
        frame.extend_from_slice(&u16::try_from(short.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(&short);
    }
    frames
}

/// One open stream between two endpoints of this process, each with threads of its own as a device
/// has, and nothing on it but the length before each frame.
pub(crate) struct RawStream {
    runtimes: [Runtime; 2],
    sender: FrameSender,
    receiver: FrameReceiver,
    _kept: (Link, [Endpoint; 2]),
}

impl RawStream {
    /// A stream whose other end sends every frame back.
    pub(crate) fn echo() -> Self {
        Self::open(|Connection { link, mut sender, mut receiver }| async move {
            while let Ok(frame) = receiver.receive().await {
                if sender.send(&frame).await.is_err() {
                    break;
                }
            }
            drop(link);
        })
    }

    /// A stream whose other end reads everything and answers to a frame of one byte.
    pub(crate) fn sink() -> Self {
        Self::open(|Connection { link, mut sender, mut receiver }| async move {
            while let Ok(frame) = receiver.receive().await {
                if frame.len() == 1 && sender.send(&frame).await.is_err() {
                    break;
                }
            }
            drop(link);
        })
    }

    fn open<F: Future<Output = ()> + Send + 'static>(
        other_end: impl FnOnce(Connection) -> F,
    ) -> Self {
        let threads =
            || Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let runtimes = [threads(), threads()];
        let secrets = [(); 2].map(|()| *store::keys::random::<32>().unwrap());
        let listen = Listen::At(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let bind = |at: usize| {
            let config = EndpointConfig { secret: secrets[at], practice: true, listen };
            let endpoint = runtimes[at].block_on(Endpoint::bind(&config)).unwrap();
            endpoint.allow(BTreeSet::from([public_half(&secrets[1 - at])]));
            endpoint
        };
        let ends = [bind(0), bind(1)];
        let (to, addresses) = (ends[1].id(), ends[1].addresses());
        let Connection { link, sender, receiver } =
            runtimes[0].block_on(ends[0].dial(to, &addresses)).unwrap();
        let arrived = runtimes[1].block_on(ends[1].accept()).unwrap();
        runtimes[1].spawn(other_end(arrived));
        Self { runtimes, sender, receiver, _kept: (link, ends) }
    }

    /// Sends a frame and waits until it has come back.
    pub(crate) fn round_trip(&mut self, frame: &[u8]) {
        let Self { runtimes, sender, receiver, .. } = self;
        let back = runtimes[0].block_on(async {
            sender.send(frame).await.unwrap();
            receiver.receive().await.unwrap()
        });
        assert_eq!(back.len(), frame.len());
    }

    /// Sends all frames. Returns how long it took until the other end has read the last.
    pub(crate) fn send_all(&mut self, frames: &[Vec<u8>]) -> Duration {
        let Self { runtimes, sender, receiver, .. } = self;
        let begun = Instant::now();
        runtimes[0].block_on(async {
            for frame in frames {
                sender.send(frame).await.unwrap();
            }
            sender.send(&[0]).await.unwrap();
            receiver.receive().await.unwrap()
        });
        begun.elapsed()
    }
}

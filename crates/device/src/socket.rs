//! The local socket on which a command reaches the device that runs already.
//!
//! Both ends belong to the same user: the socket lies in that user's runtime folder under a hash
//! of the data path, and whoever connects is asked for by the operating system. The caller reads
//! files and PINs and writes what comes back.
//!
//! ```text
//! request   length u32, a request as JSON
//! answer    any number of: length u32, {"piece": …} as JSON; then {"exit": code}
//! ```

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use interprocess::local_socket::traits::{Listener as _, Stream as _, StreamCommon as _};
use interprocess::local_socket::{Listener, ListenerOptions, Name, Stream};
use serde::{Deserialize, Serialize};
use store::backend::OpenFault;

use crate::Running;
use crate::clock::Clock;
use crate::command::{self, Output, Piece, Request};
use crate::running::{Device, FOLDER_WAIT, Folders, StartFault};

/// The most bytes of a request: the files of a large import.
const REQUEST_BYTES_MAX: usize = 256 << 20;
/// The most bytes of one piece of an answer: a large document for the printer.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// Commands that are carried out side by side.
const CALLERS_MAX: usize = 32;

/// Why a running device could not be asked, or cannot be asked by others.
#[derive(Debug, thiserror::Error)]
pub enum SocketFault {
    /// The socket could not be made.
    #[error("the local socket could not be opened in {folder}: {source}")]
    Open {
        /// The runtime folder.
        folder: String,
        /// What the system says.
        source: io::Error,
    },
    /// The running device went away in the middle of an answer. Whether the command was carried
    /// out is not known: asking again with the same command id is safe.
    #[error(
        "the running device stopped answering ({0}); see whether it was carried out, and try again"
    )]
    Broken(io::Error),
    /// Something answered that is no device of ours.
    #[error(
        "what answers on the local socket is not this version of Medround; stop it and try again"
    )]
    NotOurs,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    Piece(Piece),
    Exit(u8),
}

/// How a command reaches its device.
#[derive(Debug)]
pub enum Reached {
    /// Nobody has the folder open: this process has it now.
    Here(Device),
    /// Another process has it and answers.
    There(Caller),
}

/// Opens the device in a folder, or finds the process that has it open. A folder that a command
/// of one moment holds is waited for.
///
/// # Errors
///
/// Returns why neither came about.
pub fn reach(folders: &Folders, clock: &Clock) -> Result<Reached, StartFault> {
    let until = Instant::now() + FOLDER_WAIT;
    loop {
        if let Some(caller) = Caller::connect(folders) {
            return Ok(Reached::There(caller));
        }
        match Device::open(folders, clock.clone()) {
            Err(StartFault::Open(OpenFault::AlreadyOpen { .. })) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(50));
            }
            other => return other.map(Reached::Here),
        }
    }
}

/// A connection to the process that has the device open.
#[derive(Debug)]
pub struct Caller(Stream);

impl Caller {
    /// Connects, if somebody listens for this data folder.
    #[must_use]
    pub fn connect(folders: &Folders) -> Option<Self> {
        let stream = name(folders).and_then(Stream::connect).ok()?;
        is_same_user(&stream).then_some(Self(stream))
    }

    /// Has a request carried out there. Each piece of the answer goes to `sink` as it comes, which
    /// returns whether anybody still listens. Returns the exit code.
    ///
    /// # Errors
    ///
    /// Returns why the answer did not come to its end.
    pub fn call(
        self,
        request: &Request,
        sink: &mut dyn FnMut(Piece) -> bool,
    ) -> Result<u8, SocketFault> {
        let words = serde_json::to_vec(request).map_err(|_| SocketFault::NotOurs)?;
        let mut stream = BufReader::new(self.0);
        send(stream.get_mut(), &words).map_err(SocketFault::Broken)?;
        loop {
            let part = receive(&mut stream, ANSWER_BYTES_MAX).map_err(SocketFault::Broken)?;
            match serde_json::from_slice(&part).map_err(|_| SocketFault::NotOurs)? {
                Part::Piece(piece) => {
                    if !sink(piece) {
                        return Err(SocketFault::Broken(io::ErrorKind::Interrupted.into()));
                    }
                }
                Part::Exit(code) => return Ok(code),
            }
        }
    }
}

/// A device that can be asked on its local socket, as long as this lives.
#[derive(Debug)]
pub struct Listening {
    folders: Folders,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Lets other processes of this user ask the running device.
///
/// # Errors
///
/// Returns why the socket could not be made.
pub fn listen(running: Running) -> Result<Listening, SocketFault> {
    let folders = running.device.folders().clone();
    let folder = folders.runtime.display().to_string();
    let open = |source| SocketFault::Open { folder: folder.clone(), source };
    let listener = open_listener(&folders).map_err(open)?;
    let stopping = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopping);
    let thread = std::thread::Builder::new()
        .name("local socket".to_owned())
        .spawn(move || answer_all(&listener, &running, &stop))
        .map_err(open)?;
    Ok(Listening { folders, stopping, thread: Some(thread) })
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for somebody to connect.
        drop(name(&self.folders).and_then(Stream::connect));
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the local socket had ended in a panic");
        }
    }
}

fn answer_all(listener: &Listener, running: &Running, stopping: &AtomicBool) {
    let callers = Arc::new(AtomicUsize::new(0));
    loop {
        let arrived = listener.accept();
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        let stream = match arrived {
            Ok(stream) if is_same_user(&stream) => stream,
            Ok(_) => continue,
            Err(fault) => {
                tracing::debug!(%fault, "nobody came in on the local socket");
                std::thread::sleep(Duration::from_millis(50));
                continue;
            }
        };
        if callers.fetch_add(1, Ordering::SeqCst) >= CALLERS_MAX {
            callers.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let (running, count) = (running.clone(), Place(Arc::clone(&callers)));
        let spawned = std::thread::Builder::new().name("command".to_owned()).spawn(move || {
            let _place = count;
            if let Err(fault) = answer(&running, stream) {
                tracing::debug!(%fault, "whoever asked has gone away");
            }
        });
        if let Err(fault) = spawned {
            tracing::warn!(%fault, "a command could not be carried out");
        }
    }
}

/// Gives a caller's place back however its command ends.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn answer(running: &Running, stream: Stream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let words = receive(&mut stream, REQUEST_BYTES_MAX)?;
    let Ok(request) = serde_json::from_slice::<Request>(&words) else {
        let aside =
            "the device that runs here does not know this command: is it of another version?";
        send_part(stream.get_mut(), &Part::Piece(Piece::Stderr(aside.to_owned())))?;
        return send_part(stream.get_mut(), &Part::Exit(1));
    };
    let mut writer = BufWriter::new(stream.into_inner());
    let code = {
        let mut sink = |piece| send_part(&mut writer, &Part::Piece(piece)).is_ok();
        let json = request.json;
        command::run(running, request, &mut Output::new(json, &mut sink))
    };
    send_part(&mut writer, &Part::Exit(code))
}

fn send_part(stream: &mut impl Write, part: &Part) -> io::Result<()> {
    send(stream, &serde_json::to_vec(part).map_err(io::Error::other)?)
}

fn send(stream: &mut impl Write, words: &[u8]) -> io::Result<()> {
    let length = u32::try_from(words.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(words)?;
    stream.flush()
}

fn receive(stream: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if usize::try_from(length).map_or(true, |length| length > most) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut words = Vec::new();
    stream.take(u64::from(length)).read_to_end(&mut words)?;
    if words.len() as u64 == u64::from(length) {
        Ok(words)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(unix)]
fn name(folders: &Folders) -> io::Result<Name<'static>> {
    use interprocess::local_socket::{GenericFilePath, ToFsName as _};
    let path = folders.runtime.join(format!("medround-{}.sock", folders.fingerprint()));
    path.to_fs_name::<GenericFilePath>()
}

#[cfg(not(unix))]
fn name(folders: &Folders) -> io::Result<Name<'static>> {
    use interprocess::local_socket::{GenericNamespaced, ToNsName as _};
    format!("medround-{}", folders.fingerprint()).to_ns_name::<GenericNamespaced>()
}

/// Whoever holds the folder's lock is the only one to listen: a socket that is there is a dead one.
#[cfg(unix)]
fn open_listener(folders: &Folders) -> io::Result<Listener> {
    use interprocess::os::unix::local_socket::ListenerOptionsExt as _;
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folders.runtime)?;
    let options = ListenerOptions::new().name(name(folders)?).try_overwrite(true);
    if cfg!(target_os = "linux") { options.mode(0o600) } else { options }.create_sync()
}

#[cfg(not(unix))]
fn open_listener(folders: &Folders) -> io::Result<Listener> {
    ListenerOptions::new().name(name(folders)?).create_sync()
}

#[cfg(unix)]
fn is_same_user(stream: &Stream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_creds().ok().and_then(|peer| peer.euid()) == Some(own)
}

/// A named pipe is open to its own user alone unless asked otherwise.
#[cfg(not(unix))]
fn is_same_user(_stream: &Stream) -> bool {
    true
}

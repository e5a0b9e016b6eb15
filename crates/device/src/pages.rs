//! Every page of the record is looked at while this device serves, beside its writer: a disk that
//! goes bad is told of within the hour, and not when the device is started next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use store::local::Damage;

use crate::running::Device;

/// How long after the start the first look begins: what people ask first is answered first.
const FIRST_AFTER: Duration = Duration::from_secs(10);
/// How long after one look the next begins. With 100,000 entries a look takes 0.12 s of one core,
/// and as long as the disk needs for 154 MiB where the system no longer holds them in memory.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Looks at the pages until it is dropped, which waits for the end of a look.
#[derive(Debug)]
pub(crate) struct PageWatch {
    stop: Arc<AtomicBool>,
    /// Dropped to end the waiting.
    waits: Option<Sender<()>>,
    found: Receiver<Damage>,
    thread: Option<JoinHandle<()>>,
}

impl PageWatch {
    /// Begins to look.
    ///
    /// # Errors
    ///
    /// When the system gives no thread for it.
    pub(crate) fn start(device: &Device) -> std::io::Result<Self> {
        Self::start_after(device, FIRST_AFTER)
    }

    fn start_after(device: &Device, first_after: Duration) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (waits, ended) = channel::<()>();
        let (finds, found) = channel();
        let (device, stopped) = (device.clone(), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("pages".to_owned()).spawn(move || {
            let mut told = device.damage();
            let mut after = first_after;
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(after) {
                after = EVERY;
                look(&device, &stopped);
                let known = device.damage();
                if let Some(damage) = known.clone().filter(|_| told != known)
                    && finds.send(damage).is_err()
                {
                    return;
                }
                told = known;
            }
        })?;
        Ok(Self { stop, waits: Some(waits), found, thread: Some(thread) })
    }

    /// Returns what was found damaged since this was asked last; `None` while nothing was.
    pub(crate) fn found(&self) -> Option<Damage> {
        self.found.try_recv().ok()
    }
}

/// What is found is remembered by the store, and told by everything that asks it.
fn look(device: &Device, stop: &Arc<AtomicBool>) {
    let Ok(reader) = device.reader() else { return };
    match reader.look_at_pages(device.now(), stop) {
        Ok(None) => {}
        Ok(Some(damage)) => tracing::error!(what = damage.what, "a page of the record is damaged"),
        Err(_) if stop.load(Ordering::SeqCst) => {}
        Err(fault) => tracing::warn!(%fault, "the pages were not looked at"),
    }
}

impl Drop for PageWatch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(self.waits.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the look at the pages ended in a panic");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alone::Alone;
    use crate::fit_for_use::damage_in_words;
    use store::backend::FileKind;

    /// Changes the home's name wherever it stands in the log, as a disk that goes bad would.
    fn damage_log(alone: &Alone) {
        let log = alone.folders().data.join(FileKind::Log.name());
        let mut bytes = std::fs::read(&log).unwrap();
        while let Some(at) = bytes.windows(6).position(|bytes| bytes == b"Willow") {
            bytes[at] ^= 1;
        }
        std::fs::write(log, bytes).unwrap();
    }

    /// Bug: damage that came while a device served was told when it was started a day later.
    /// Cause: the pages were looked at only when the record was opened.
    /// Fix: they are looked at while it serves.
    #[test]
    fn a_log_that_is_damaged_while_the_device_serves_is_told_by_it() {
        let alone = Alone::found();
        let device = &alone.device;
        damage_log(&alone);
        assert_eq!(device.status().unwrap().damage, None);
        let watch = PageWatch::start_after(device, Duration::ZERO).unwrap();
        let found = watch.found.recv().unwrap();
        assert!(damage_in_words(&found).contains("log.redb is damaged"), "{found:?}");
        assert_eq!(device.status().unwrap().damage, Some(found));
        drop(watch);
    }

    #[test]
    fn a_device_that_closes_waits_for_no_look() {
        let alone = Alone::found();
        let watch = PageWatch::start(&alone.device).unwrap();
        assert_eq!(watch.found(), None);
        drop(watch);
        alone.device.close();
    }
}

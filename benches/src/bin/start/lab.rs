//! What is measured: one method for each kind. Whatever is not named in a method's comment is outside its clock.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use isolated_nats::{ExternalNats, ExternalNatsBuilder};
use isolated_nats_benches::Error;
use isolated_nats_server_binary::{Acquire, ServerBinary, Source};
use tokio::runtime::Runtime;
use watermelon_testkit::NatsServer;

use crate::floor::{Model, Prepared};
use crate::mirror::Mirror;
use crate::wire::{self, first_pong};

/// Messages in the stream of a server that is dropped.
pub(crate) const MESSAGES: usize = 1000;
/// Servers started at once.
pub(crate) const TOGETHER: usize = 10;
/// Cache hits in one round; only their median is kept, which no single interruption moves.
const HITS: usize = 21;

/// Heap that the measuring process has resident where a start with much of it is measured: a fork copies its page tables.
pub(crate) const HEAP_MB: usize = 128;

/// Whether JetStream is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flavor {
    Core,
    JetStream,
}

/// Everything that the measurements share.
#[derive(Debug)]
pub(crate) struct Lab {
    scratch: PathBuf,
    runtime: Runtime,
    core: Model,
    jetstream: Model,
    pub(crate) binary: ServerBinary,
    pub(crate) mirror: Mirror,
    count: usize,
}

/// Memory that is resident while a server starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Heap {
    AsItIs,
    Large,
}

impl Heap {
    fn fill(self) -> Vec<u8> {
        match self {
            Self::AsItIs => Vec::new(),
            Self::Large => std::hint::black_box(vec![1; HEAP_MB << 20]),
        }
    }
}

/// A start, and where the drop of its server can be seen too, that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) start: Duration,
    pub(crate) drop: Option<Duration>,
}

impl Lab {
    pub(crate) fn new(scratch: &Path) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let binary = Acquire::from_env()?.run()?;
        if binary.source != Source::Cache {
            return Err(format!("the server comes from {:?}, not from a warm cache", binary.source).into());
        }
        Ok(Self {
            scratch: scratch.to_owned(),
            runtime,
            core: Model::of(&builder(Flavor::Core).start_blocking()?)?,
            jetstream: Model::of(&builder(Flavor::JetStream).start_blocking()?)?,
            mirror: Mirror::new(&binary.path, &binary.version)?,
            binary,
            count: 0,
        })
    }

    /// From the spawn of a prepared server to the first PONG; then, for comparison, its kill, wait and removal.
    pub(crate) fn floor(&mut self, flavor: Flavor, heap: Heap) -> Result<Times, Error> {
        let prepared = self.prepare(flavor)?;
        let _heap = heap.fill();
        let started = Instant::now();
        let (bare, port) = prepared.start()?;
        let stream = first_pong(port)?;
        let start = started.elapsed();
        drop(stream);
        let dropped = Instant::now();
        drop(bare);
        Ok(Times { start, drop: Some(dropped.elapsed()) })
    }

    /// From the call of `start_blocking` to the first PONG; then the drop of the only handle.
    pub(crate) fn blocking(&mut self, flavor: Flavor, heap: Heap) -> Result<Times, Error> {
        let _heap = heap.fill();
        let started = Instant::now();
        let nats = builder(flavor).start_blocking()?;
        finish(nats, started)
    }

    /// From the call of `start` in a current-thread runtime to the first PONG; then the drop of the only handle.
    pub(crate) fn asynchronous(&mut self, flavor: Flavor) -> Result<Times, Error> {
        let started = Instant::now();
        let nats = self.runtime.block_on(builder(flavor).start())?;
        finish(nats, started)
    }

    /// From the call of the peer's `start` in a current-thread runtime to the first PONG.
    pub(crate) fn testkit(&mut self, flavor: Flavor) -> Result<Times, Error> {
        let builder = NatsServer::builder();
        let builder = if flavor == Flavor::JetStream { builder.jetstream() } else { builder };
        let started = Instant::now();
        let server = self.runtime.block_on(builder.start());
        let mut server = server.ok_or("watermelon-testkit found no server")?;
        let stream = first_pong(wire::port_of(server.client_url())?)?;
        let start = started.elapsed();
        drop(stream);
        // Its own drop does not wait for the process, which would then run beside the next measurement.
        self.runtime.block_on(server.shutdown());
        Ok(Times { start, drop: None })
    }

    /// The drop of the only handle of a server with a stream of messages on disk.
    pub(crate) fn drop_with_stream(&mut self) -> Result<Duration, Error> {
        let nats = builder(Flavor::JetStream).start_blocking()?;
        self.runtime.block_on(fill(&nats))?;
        let dropped = Instant::now();
        drop(nats);
        Ok(dropped.elapsed())
    }

    /// `Acquire::from_env()?.run()` with a warm cache: the median of a few in a row.
    pub(crate) fn cache_hit(&mut self) -> Result<Duration, Error> {
        let mut times = Vec::with_capacity(HITS);
        for _ in 0..HITS {
            let started = Instant::now();
            let binary = Acquire::from_env()?.run()?;
            times.push(started.elapsed());
            if binary.source != Source::Cache {
                return Err("the cache was not hit".into());
            }
        }
        times.sort_unstable();
        Ok(times[HITS / 2])
    }

    /// `run` with an empty cache, from the mirror on loopback: fetch, verify, unpack, try, publish.
    pub(crate) fn cold_fetch(&mut self) -> Result<Duration, Error> {
        let cache = self.directory("cache");
        let acquire = self.mirror.acquire(&cache);
        let started = Instant::now();
        let binary = acquire.run()?;
        let elapsed = started.elapsed();
        fs::remove_dir_all(&cache)?;
        if binary.source != Source::Mirror {
            return Err("the cold fetch was none".into());
        }
        Ok(elapsed)
    }

    /// Ten bare loops in ten threads, until each has its first PONG.
    pub(crate) fn ten_floors(&mut self) -> Result<Duration, Error> {
        let prepared = (0..TOGETHER).map(|_| self.prepare(Flavor::Core)).collect::<Result<Vec<_>, _>>()?;
        together(prepared, |prepared| {
            let (bare, port) = prepared.start()?;
            Ok((first_pong(port)?, bare))
        })
    }

    /// Ten `start_blocking` in ten threads, until each has its first PONG.
    pub(crate) fn ten_cached(&mut self) -> Result<Duration, Error> {
        together(vec![(); TOGETHER], |()| {
            let nats = builder(Flavor::Core).start_blocking()?;
            Ok((first_pong(nats.port())?, nats))
        })
    }

    /// The same after each thread has got the server through one empty cache, which one of them fills.
    pub(crate) fn ten_cold(&mut self) -> Result<Duration, Error> {
        let cache = self.directory("cache");
        let served = self.mirror.served();
        let elapsed = together(vec![self.mirror.acquire(&cache); TOGETHER], |acquire| {
            acquire.run()?;
            let nats = builder(Flavor::Core).start_blocking()?;
            Ok((first_pong(nats.port())?, nats))
        })?;
        fs::remove_dir_all(&cache)?;
        match self.mirror.served() - served {
            1 => Ok(elapsed),
            count => Err(format!("ten starts with one empty cache fetched {count} times").into()),
        }
    }

    fn prepare(&mut self, flavor: Flavor) -> Result<Prepared, Error> {
        let path = self.directory("bare");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let model = if flavor == Flavor::JetStream { &self.jetstream } else { &self.core };
        model.prepare(&self.scratch, &name)
    }

    /// A name that nothing has yet.
    fn directory(&mut self, what: &str) -> PathBuf {
        self.count += 1;
        self.scratch.join(format!("{what}-{}", self.count))
    }
}

fn builder(flavor: Flavor) -> ExternalNatsBuilder {
    let builder = ExternalNats::builder().name("bench");
    if flavor == Flavor::JetStream { builder.jetstream() } else { builder }
}

fn finish(nats: ExternalNats, started: Instant) -> Result<Times, Error> {
    let stream = first_pong(nats.port())?;
    let start = started.elapsed();
    drop(stream);
    let dropped = Instant::now();
    drop(nats);
    Ok(Times { start, drop: Some(dropped.elapsed()) })
}

/// Puts a stream of small messages on disk; its client is gone afterwards.
async fn fill(nats: &ExternalNats) -> Result<(), Error> {
    let context = nats.jetstream().await?;
    let config = async_nats::jetstream::stream::Config {
        name: "BENCH".into(),
        subjects: vec!["bench.>".into()],
        ..Default::default()
    };
    let mut stream = context.create_stream(config).await?;
    let mut acknowledgements = Vec::with_capacity(MESSAGES);
    for _ in 0..MESSAGES {
        acknowledgements.push(context.publish("bench.one", vec![b'x'; 128].into()).await?);
    }
    for acknowledgement in acknowledgements {
        acknowledgement.await?;
    }
    match stream.info().await?.state.messages {
        count if count == MESSAGES as u64 => Ok(()),
        count => Err(format!("the stream has {count} messages, not {MESSAGES}").into()),
    }
}

/// Does a job in a thread for each item, all let go at once; the time from then until the last one is done. What the jobs
/// return lives until all are done.
fn together<T: Send, R: Send>(
    items: Vec<T>,
    job: impl Fn(T) -> Result<R, Error> + Sync,
) -> Result<Duration, Error> {
    let barrier = Barrier::new(items.len() + 1);
    let (barrier, job) = (&barrier, &job);
    std::thread::scope(|scope| {
        let spawn = |item| {
            scope.spawn(move || {
                barrier.wait();
                job(item).map(|kept| (Instant::now(), kept))
            })
        };
        let threads: Vec<_> = items.into_iter().map(spawn).collect();
        let started = Instant::now();
        barrier.wait();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Result<(Instant, R), Error>>| {
            thread.join().unwrap_or_else(|_| Err("a thread panicked".into()))
        };
        let done: Vec<_> = threads.into_iter().map(join).collect();
        let done = done.into_iter().collect::<Result<Vec<_>, _>>()?;
        let last = done.iter().map(|(at, _)| *at).max().ok_or("nothing was to be done")?;
        Ok(last.duration_since(started))
    })
}

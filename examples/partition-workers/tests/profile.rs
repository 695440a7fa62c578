//! Where the memory of ten workers is, and that of their server: files for the viewers that README.md names.

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use isolated_nats::{ExternalNats, MemoryProbe, TrackingAllocator, isolated_nats};
use partition_workers::{Config, Grant, Handler, Manager, Partition};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

struct Idle;

impl Handler for Idle {
    async fn assigned(&self, _: Grant) {}
    async fn revoked(&self, _: &[Partition]) {}
}

#[isolated_nats(process)]
async fn ten_workers_are_profiled() -> Result<(), Box<dyn Error>> {
    if isolated_nats::skip_unless("PARTITION_WORKERS_PROFILE") {
        return Ok(());
    }
    let nats = ExternalNats::builder().jetstream().profiling().start().await?;
    let probe = MemoryProbe::builder().heap_profile().start();
    let manager = Manager::open(nats.jetstream().await?, Config::new("profiled", 100)).await?;
    let mut workers = Vec::new();
    for number in 0..10 {
        workers.push(manager.start_worker(format!("w{number}"), Idle).await?);
    }
    manager.wait_until_stable(10).await?;

    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (heap, server) = (directory.join("heap.json"), directory.join("server-heap.pb.gz"));
    probe.write_heap_profile(&heap)?;
    fs::write(&server, profile_of(&nats)?)?;
    println!("{}\n{}\n{}", probe.finish(), heap.display(), server.display());

    for worker in workers {
        worker.stop().await?;
    }
    Ok(())
}

/// What Go's profiler in the server says of its heap.
fn profile_of(nats: &ExternalNats) -> Result<Vec<u8>, Box<dyn Error>> {
    let url = nats.profiling_url().ok_or("the server was started without its profiler")?;
    let address = url.strip_prefix("http://").ok_or("the profiler has a URL")?;
    let mut stream = TcpStream::connect(address)?;
    // Of HTTP/1.0, whose answers end with the connection and come in one piece.
    write!(stream, "GET /debug/pprof/heap HTTP/1.0\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("the answer has no body")?;
    if !answer.starts_with(b"HTTP/1.0 200") {
        return Err(String::from_utf8_lossy(&answer[..head]).into_owned().into());
    }
    Ok(answer.split_off(head + 4))
}

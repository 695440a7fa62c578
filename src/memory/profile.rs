//! A profile of the heap in the format of dhat, for its viewer.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::allocator::{Profile, Site, Sites};
use super::site::{Names, is_own};
use super::text;

/// Version 2 of the format, as `dh_view.html` of Valgrind reads it; the names are those of its fields.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File2 {
    dhat_file_version: u8,
    mode: &'static str,
    verb: &'static str,
    /// Blocks have lifetimes, and no accesses.
    bklt: bool,
    bkacc: bool,
    tu: &'static str,
    #[serde(rename = "Mtu")]
    million_tu: &'static str,
    /// Blocks that live for less than so many units are shown as short-lived.
    tuth: u64,
    cmd: String,
    pid: u32,
    tg: u128,
    te: u128,
    pps: Vec<Point>,
    ftbl: Vec<String>,
}

/// One program point: total, own maximum, at the global maximum, at the end.
#[derive(Serialize)]
struct Point {
    tb: u64,
    tbk: u64,
    tl: u128,
    mb: u64,
    mbk: u64,
    gb: u64,
    gbk: u64,
    eb: u64,
    ebk: u64,
    fs: Vec<usize>,
}

/// The parts of a file that tell which places hold most.
#[derive(Deserialize)]
struct Read {
    pps: Vec<ReadPoint>,
    ftbl: Vec<String>,
}

#[derive(Deserialize)]
struct ReadPoint {
    gb: u64,
    gbk: u64,
    eb: u64,
    ebk: u64,
    fs: Vec<usize>,
}

/// The moment of a profile that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Peak,
    End,
}

/// The places that hold most at that moment, largest first, a line each: their bytes and blocks, and the innermost frame of
/// the user's own; places with the same frame are one.
pub(crate) fn largest(path: &Path, moment: Moment, places: usize) -> io::Result<String> {
    let file: Read = serde_json::from_slice(&std::fs::read(path)?)?;
    let mut by_frame = HashMap::<&str, (u64, u64)>::new();
    for point in &file.pps {
        let (bytes, blocks) =
            if moment == Moment::Peak { (point.gb, point.gbk) } else { (point.eb, point.ebk) };
        let frames = point.fs.iter().filter_map(|frame| file.ftbl.get(*frame));
        let frame = frames.clone().find(|frame| is_own(frame)).or_else(|| frames.clone().next());
        let held = by_frame.entry(frame.map_or("(without a name)", String::as_str)).or_default();
        *held = (held.0 + bytes, held.1 + blocks);
    }
    let mut held: Vec<_> = by_frame.into_iter().filter(|(_, (bytes, _))| *bytes > 0).collect();
    held.sort_by(|(a_frame, (a, _)), (b_frame, (b, _))| b.cmp(a).then_with(|| a_frame.cmp(b_frame)));
    let line = |(frame, (bytes, blocks)): &(&str, (u64, u64))| {
        format!("  {:>9} in {:>7} blocks  {frame}\n", text::bytes(*bytes as f64), text::count(*blocks))
    };
    Ok(held.iter().take(places).map(line).collect())
}

/// Writes what a profile holds so far.
pub(super) fn write(profile: &Profile, path: &Path) -> io::Result<()> {
    let file = file(profile.sites());
    let mut writer = BufWriter::new(File::create(path)?);
    serde_json::to_writer(&mut writer, &file)?;
    writer.flush()
}

fn file(Sites { sites, peak_at, taken }: Sites) -> File2 {
    let (mut frames, mut names) = (Frames::default(), Names::default());
    let mut point = |site: &Site| Point {
        tb: site.total.bytes,
        tbk: site.total.blocks,
        tl: site.lifetimes.as_micros(),
        mb: site.own_peak.bytes,
        mbk: site.own_peak.blocks,
        gb: site.peak.bytes,
        gbk: site.peak.blocks,
        eb: site.live.bytes,
        ebk: site.live.blocks,
        fs: names.lines(&site.addresses).iter().map(|line| frames.number(line.marked())).collect(),
    };
    let pps = sites.iter().map(&mut point).collect();
    File2 {
        dhat_file_version: 2,
        mode: "rust-heap",
        verb: "Allocated",
        bklt: true,
        bkacc: false,
        tu: "µs",
        million_tu: "s",
        tuth: 10,
        cmd: std::env::args().collect::<Vec<_>>().join(" "),
        pid: std::process::id(),
        tg: peak_at.as_micros(),
        te: taken.max(Duration::from_micros(1)).as_micros(),
        pps,
        ftbl: frames.table,
    }
}

/// The table of frames; the first is the root of all.
struct Frames {
    table: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Default for Frames {
    fn default() -> Self {
        Self { table: vec!["[root]".into()], numbers: HashMap::new() }
    }
}

impl Frames {
    fn number(&mut self, frame: String) -> usize {
        *self.numbers.entry(frame).or_insert_with_key(|frame| {
            self.table.push(frame.clone());
            self.table.len() - 1
        })
    }
}

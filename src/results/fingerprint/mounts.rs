//! The file system that a directory is on.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Reads the type of the file system of a path, or of the nearest directory above that exists; `None` on other systems than Linux.
pub(super) fn file_system(path: &Path) -> Option<String> {
    let table = std::fs::read("/proc/self/mountinfo").ok()?;
    let real = path.ancestors().find_map(|path| path.canonicalize().ok())?;
    find(&String::from_utf8_lossy(&table), &real)
}

/// The type of the mount with the longest path above this one; of several at one path the last hides the others.
fn find(table: &str, path: &Path) -> Option<String> {
    let mounts = table.lines().filter_map(parse).filter(|(point, _)| path.starts_with(point));
    let longest = mounts.max_by_key(|(point, _)| point.components().count()); // the last of equals
    longest.map(|(_, kind)| kind.to_owned())
}

/// Mount point and type of a line: `36 35 98:0 /root /point options [optional ...] - type source options` (proc(5)).
fn parse(line: &str) -> Option<(PathBuf, &str)> {
    let (mount, rest) = line.split_once(" - ")?;
    let point = mount.split(' ').nth(4)?;
    Some((unescape(point), rest.split(' ').next().filter(|kind| !kind.is_empty())?))
}

/// Spaces and the like are written as three octal figures: `\040`.
fn unescape(text: &str) -> PathBuf {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|octal| u8::from_str_radix(octal, 8).ok());
        match code {
            Some(code) => {
                plain.push(char::from(code));
                plain += &part[3..];
            }
            None => plain.extend(["\\", part]),
        }
    }
    OsString::from(plain).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n\
        23 27 0:22 / /sys rw,relatime - sysfs sysfs rw\n\
        30 27 0:40 / /tmp rw shared:7 master:2 - tmpfs tmpfs rw\n\
        31 27 0:41 / /mnt/a\\040b rw - btrfs /dev/b rw\n\
        32 27 0:42 / /data rw - ext4 /dev/c rw\n\
        33 27 0:43 / /data rw - xfs /dev/d rw\n\
        nonsense\n";

    #[test]
    fn the_longest_mount_above_a_path_is_its_own() {
        for (path, kind) in [
            ("/home/x", "ext4"),
            ("/tmp/isolated-nats/a", "tmpfs"),
            ("/tmpfiles", "ext4"),
            ("/mnt/a b/c", "btrfs"),
            ("/data/store", "xfs"),
        ] {
            assert_eq!(find(TABLE, Path::new(path)).as_deref(), Some(kind), "{path}");
        }
        assert_eq!(find("", Path::new("/a")), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_path_that_does_not_exist_yet_is_on_what_it_will_be_made_on() {
        let kind = file_system(Path::new("/proc/no-such-directory/a"));
        assert_eq!(kind.as_deref(), Some("proc"));
    }
}

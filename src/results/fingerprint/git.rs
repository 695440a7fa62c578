//! The commit that was measured: read from the repository's files; `git` is asked whether the tree was changed.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use super::Commit;
use super::machine::read;
use crate::server::{Mark, Thing};

/// How long `git` may take: of a tree so large that this is too short, it remains unknown whether it was changed.
const LIMIT: Duration = Duration::from_secs(2);

/// The commit of the package whose test this process is, read once.
pub(super) fn commit() -> Option<Commit> {
    static COMMIT: OnceLock<Option<Commit>> = OnceLock::new();
    COMMIT
        .get_or_init(|| read_commit(&start(std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from))?))
        .clone()
}

fn start(package: Option<PathBuf>) -> Option<PathBuf> {
    package.filter(|path| path.is_dir()).or_else(|| std::env::current_dir().ok())
}

fn read_commit(start: &Path) -> Option<Commit> {
    let tree = start.ancestors().find(|path| path.join(".git").exists())?;
    let by_git = || git(tree, &["rev-parse", "--verify", "HEAD"]).filter(|text| is_hash(text));
    let hash = hash(&tree.join(".git")).or_else(by_git)?;
    let changed = git(tree, &["status", "--porcelain"]).map(|text| !text.is_empty());
    Some(Commit { hash, changed })
}

/// The commit that a `.git` is at: a directory, or a file that names one, as in worktrees and submodules. `None` in a repository
/// without commits, and where references are not files (`reftable`).
fn hash(dot_git: &Path) -> Option<String> {
    let directory = match read(dot_git) {
        Some(text) => dot_git.parent()?.join(text.strip_prefix("gitdir:")?.trim()),
        None => dot_git.to_owned(),
    };
    let head = read(directory.join("HEAD"))?;
    let Some(reference) = head.strip_prefix("ref:").map(str::trim) else {
        return Some(head).filter(|text| is_hash(text));
    };
    // A worktree shares its branches with the repository it belongs to.
    let common =
        read(directory.join("commondir")).map_or_else(|| directory.clone(), |path| directory.join(path));
    let loose = [&directory, &common].into_iter().find_map(|directory| read(directory.join(reference)));
    let packed = || find_packed(&read(common.join("packed-refs"))?, reference);
    loose.or_else(packed).filter(|text| is_hash(text))
}

/// A reference in `packed-refs`: `<hash> <name>` a line.
fn find_packed(text: &str, reference: &str) -> Option<String> {
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs.filter(|(_, name)| name.trim() == reference).map(|(hash, _)| hash.to_owned()).next()
}

/// SHA-1 or SHA-256.
fn is_hash(text: &str) -> bool {
    [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What `git` prints; `None` when there is none, it fails, or it takes too long.
fn git(tree: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    // Of a hook that runs the tests, these name the repository of the hook.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    command.args(["--no-optional-locks", "-c", "core.fsmonitor=false", "-C"]).arg(tree).args(arguments);
    answer(command, LIMIT)
}

/// The standard output of a command that ends well in time; one that does not is killed.
fn answer(mut command: Command, limit: Duration) -> Option<String> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let _ours = Mark::new(Thing::Child(child.id()));
    let mut output = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::Builder::new().name("isolated-nats git".into()).spawn(move || {
        let mut bytes = Vec::new();
        let _ = output.read_to_end(&mut bytes);
        let _ = sender.send(bytes); // nobody waits any more, if it took too long
    });
    let bytes = thread.ok().and_then(|thread| {
        let bytes = receiver.recv_timeout(limit).ok()?;
        let _ = thread.join();
        Some(bytes)
    });
    if bytes.is_none() {
        let _ = child.kill(); // it may have ended since
    }
    // OK because it was killed, or has closed its output, which is the last that it does.
    let status = child.wait().ok()?;
    let text = String::from_utf8(bytes?).ok()?;
    status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::super::files::tests::Scratch;
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_commit_is_read_from_a_branch_a_detached_head_and_packed_references() {
        let scratch = Scratch::new();
        let dot_git = scratch.path().join(".git");
        write(&dot_git.join("HEAD"), "ref: refs/heads/main\n");
        assert_eq!(hash(&dot_git), None, "a repository without commits");
        write(
            &dot_git.join("packed-refs"),
            &format!("# pack-refs with: peeled\n{TWO} refs/heads/main\n^{ONE}\n"),
        );
        assert_eq!(hash(&dot_git).as_deref(), Some(TWO));
        write(&dot_git.join("refs/heads/main"), &format!("{ONE}\n"));
        assert_eq!(hash(&dot_git).as_deref(), Some(ONE), "what is not packed is newer");
        write(&dot_git.join("HEAD"), &format!("{TWO}\n"));
        assert_eq!(hash(&dot_git).as_deref(), Some(TWO));
        write(&dot_git.join("HEAD"), "nonsense\n");
        assert_eq!(hash(&dot_git), None);
    }

    #[test]
    fn a_worktree_has_a_head_of_its_own_and_shares_the_branches() {
        let scratch = Scratch::new();
        let (main, tree) = (scratch.path().join("main/.git"), scratch.path().join("tree/.git"));
        write(&main.join("refs/heads/side"), ONE);
        write(&main.join("worktrees/tree/HEAD"), "ref: refs/heads/side\n");
        write(&main.join("worktrees/tree/commondir"), "../..\n");
        write(&tree, "gitdir: ../main/.git/worktrees/tree\n");
        assert_eq!(hash(&tree).as_deref(), Some(ONE));
    }

    #[test]
    #[cfg(unix)]
    fn a_command_that_fails_or_hangs_is_no_answer() {
        let shell = |text: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", text]);
            command
        };
        let long = Duration::from_secs(60);
        assert_eq!(answer(shell("echo ' M a'"), long).as_deref(), Some("M a"));
        assert_eq!(answer(shell("echo a; exit 1"), long), None);
        assert_eq!(answer(Command::new("no-such-program-anywhere"), long), None);
        assert_eq!(answer(shell("exec sleep 600"), Duration::from_millis(1)), None);
    }

    #[test]
    fn outside_of_a_repository_there_is_no_commit() {
        let scratch = Scratch::new();
        assert_eq!(start(Some(scratch.path().join("gone"))), std::env::current_dir().ok());
        assert_eq!(start(Some(scratch.path().into())).as_deref(), Some(scratch.path()));
        write(&scratch.path().join(".git/HEAD"), ONE);
        let inner = scratch.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let commit = read_commit(&inner).unwrap();
        assert_eq!((commit.hash.as_str(), commit.short()), (ONE, "111111111111"));
        assert_eq!(commit.changed, None, "git does not take this for a repository");
    }
}

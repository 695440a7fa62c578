//! Windows: one job object for the process. The kernel ends everything in it when the last handle to it closes, and the
//! only handle is ours. Neither compiled nor run by this project's own CI machines.

use std::io;
use std::os::windows::io::AsRawHandle;
use std::process::Child;
use std::sync::OnceLock;

use win32job::{ExtendedLimitInfo, Job};

/// Puts a child into the job; it dies with this process from then on.
pub(super) fn assign(child: &Child) -> io::Result<()> {
    static JOB: OnceLock<Job> = OnceLock::new();
    let job = match JOB.get() {
        Some(job) => job,
        None => {
            let mut limits = ExtendedLimitInfo::new();
            limits.limit_kill_on_job_close();
            let job = Job::create_with_limit_info(&limits).map_err(io::Error::other)?;
            JOB.get_or_init(|| job)
        }
    };
    job.assign_process(child.as_raw_handle() as isize).map_err(io::Error::other)
}

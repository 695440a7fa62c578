#![doc = include_str!("../README.md")]

mod acquire;
mod binary;
mod cache;
mod chain;
mod checksums;
pub mod cli;
mod command;
mod doctor;
mod env;
mod error;
mod fetch;
mod fixes;
mod poll;
mod prefetch;
mod probe;
mod programs;
mod progress;
mod reason;
mod target;
mod version;

pub use acquire::Acquire;
pub use binary::{ParseSourceError, ServerBinary, Source};
pub use doctor::{Diagnosis, clean, clean_cache, doctor};
pub use error::{AcquireError, AcquireErrorKind, Step, StepErrorKind};
pub use prefetch::prefetch_for_build_script;
pub use progress::Progress;
pub use version::{ParseVersionError, Version};

/// The version this release fetches when nothing else is asked for.
pub const DEFAULT_VERSION: &str = "2.14.5";

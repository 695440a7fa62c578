//! The options of the attribute: one table, and what a use of the attribute set.

use std::{fmt::Write as _, time::Duration};

use proc_macro2::{Ident, Span, TokenStream};
use syn::{LitStr, Path};

use crate::{
    argument::{self, Argument, Form},
    errors::Errors,
    values,
};

/// What the arguments of one attribute say; absent means not given.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) jetstream: Option<bool>,
    pub(crate) config: Option<LitStr>,
    pub(crate) version: Option<LitStr>,
    pub(crate) flavor: Option<Set<Flavor>>,
    pub(crate) worker_threads: Option<Set<usize>>,
    pub(crate) start_paused: Option<Set<bool>>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) process: Option<Set<bool>>,
    pub(crate) max_peak_heap: Option<u64>,
    pub(crate) max_live_heap_growth: Option<u64>,
    pub(crate) max_rss_growth: Option<u64>,
    pub(crate) tasks: Option<Tasks>,
    pub(crate) allow_tasks: Option<Set<usize>>,
    pub(crate) baseline: Option<Set<Option<LitStr>>>,
    pub(crate) rounds: Option<Set<usize>>,
    pub(crate) crate_path: Option<Path>,
}

/// A value with the place of its option's name, for conflicts.
pub(crate) struct Set<T> {
    pub(crate) value: T,
    at: Span,
}

impl<T> Set<T> {
    /// The place of the option's name.
    pub(crate) fn at(&self) -> Span {
        self.at
    }
}

/// The runtime a test runs on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flavor {
    CurrentThread,
    MultiThread,
}

/// What becomes of a test that leaves tasks behind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Tasks {
    Deny,
    Warn,
    Off,
}

/// One row of the table.
struct Known {
    name: &'static str,
    /// What the option takes, after "`name` takes".
    takes: &'static str,
    example: &'static str,
    read: fn(&mut Options, &Given<'_>) -> syn::Result<()>,
}

/// One argument with its row.
struct Given<'a> {
    known: &'a Known,
    argument: &'a Argument,
}

const fn row(
    name: &'static str,
    takes: &'static str,
    example: &'static str,
    read: fn(&mut Options, &Given<'_>) -> syn::Result<()>,
) -> Known {
    Known { name, takes, example, read }
}

static KNOWN: [Known; 16] = [
    row("jetstream", "`true`, `false` or no value", "jetstream", read_jetstream),
    row("config", "the path of a file in a string", "config = \"tests/nats.conf\"", read_config),
    row("version", "a version of the server in a string", "version = \"2.12\"", read_version),
    row("flavor", "the name of a runtime in a string", "flavor = \"multi_thread\"", read_flavor),
    row("worker_threads", "a whole number of at least 1", "worker_threads = 4", read_worker_threads),
    row("start_paused", "`true`, `false` or no value", "start_paused", read_start_paused),
    row("timeout", "a time with its unit in a string", "timeout = \"30s\"", read_timeout),
    row("process", "`true`, `false` or no value", "process", read_process),
    row("max_peak_heap", A_SIZE, "max_peak_heap = \"8 MiB\"", read_max_peak_heap),
    row("max_live_heap_growth", A_SIZE, "max_live_heap_growth = \"64 KiB\"", read_max_live_heap_growth),
    row("max_rss_growth", A_SIZE, "max_rss_growth = \"10 MiB\"", read_max_rss_growth),
    row("tasks", "`deny`, `warn` or `off` in a string", "tasks = \"warn\"", read_tasks),
    row("allow_tasks", "a whole number", "allow_tasks = 1", read_allow_tasks),
    row("baseline", "a name in a string, or no value", "baseline = \"orders\"", read_baseline),
    row("rounds", "a whole number of at least 10", "rounds = 20", read_rounds),
    row("crate", "the path of this crate", "crate = \"my_tests::isolated_nats\"", read_crate),
];

const A_SIZE: &str = "a size with its unit in a string";

impl Options {
    /// Reads all arguments; what is wrong with one does not keep the others from being read.
    pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for argument in argument::split(tokens, errors) {
            let Some(known) = errors.keep(look_up(&argument.name)) else { continue };
            let name = argument.name.to_string();
            if seen.contains(&name) {
                errors.push(&argument.name, format!("`{name}` is given twice (keep one of the two)"));
                continue;
            }
            errors.keep((known.read)(&mut options, &Given { known, argument: &argument }));
            seen.push(name);
        }
        options.check_conflicts(seen.iter().any(|name| name == "flavor"), errors);
        options
    }

    fn check_conflicts(&self, flavor_is_given: bool, errors: &mut Errors) {
        let flavor = self.flavor.as_ref().map(|flavor| flavor.value);
        if flavor_is_given && flavor.is_none() {
            return; // its own error comes first; what it was meant to be is unknown
        }
        if let (Some(workers), None | Some(Flavor::CurrentThread)) = (&self.worker_threads, flavor) {
            let message = "`worker_threads` needs the multi-threaded runtime (write `flavor = \"multi_thread\"`, or \
                           remove `worker_threads`)";
            errors.push_at(workers.at, message);
        }
        if let (Some(Set { value: true, at }), Some(Flavor::MultiThread)) = (&self.start_paused, flavor) {
            let message = "`start_paused` needs the single-threaded runtime (remove `flavor = \"multi_thread\"`, or \
                           remove `start_paused`)";
            errors.push_at(*at, message);
        }
        if let (Some(Set { value: false, at }), Some(_)) = (&self.process, self.max_rss_growth) {
            let message = "`max_rss_growth` needs a process of the test's own (remove `process = false`, or remove \
                           `max_rss_growth`)";
            errors.push_at(*at, message);
        }
        if let (Some(Tasks::Off), Some(allowed)) = (self.tasks, &self.allow_tasks) {
            let message =
                "`allow_tasks` needs the check of tasks (remove `tasks = \"off\"`, or remove `allow_tasks`)";
            errors.push_at(allowed.at, message);
        }
        if let (Some(rounds), None) = (&self.rounds, &self.baseline) {
            let message = "`rounds` is for a test with a baseline (add `baseline`, or remove `rounds`)";
            errors.push_at(rounds.at, message);
        }
    }

    /// Whether the test is to run in a process of its own: by its option, or for a figure that other tests would be in.
    pub(crate) fn own_process(&self) -> bool {
        self.max_rss_growth.is_some() || self.process.as_ref().is_some_and(|process| process.value)
    }
}

fn look_up(name: &Ident) -> syn::Result<&'static Known> {
    let text = name.to_string();
    if let Some(plain) = text.strip_prefix("r#") {
        return Err(syn::Error::new(name.span(), format!("write `{plain}` without `r#`")));
    }
    KNOWN.iter().find(|known| known.name == text).ok_or_else(|| syn::Error::new(name.span(), unknown(&text)))
}

fn unknown(name: &str) -> String {
    let mut message = format!("unknown option `{name}`");
    if let Some(meant) = values::nearest(name, KNOWN.iter().map(|known| known.name)) {
        let _ = write!(message, ", did you mean `{meant}`?");
    }
    let names: Vec<String> = KNOWN.iter().map(|known| format!("`{}`", known.name)).collect();
    let _ = write!(message, " (the options are {})", names.join(", "));
    message
}

impl Given<'_> {
    fn error(&self, message: impl std::fmt::Display) -> syn::Error {
        match &self.argument.form {
            Form::Value(tokens) => syn::Error::new_spanned(tokens, message),
            Form::Flag | Form::NoValue | Form::Call => syn::Error::new(self.argument.name.span(), message),
        }
    }

    fn wrong_kind(&self) -> syn::Error {
        let Known { name, takes, example, .. } = self.known;
        self.error(match self.argument.form {
            Form::Flag | Form::NoValue => format!("`{name}` lacks its value (write `{example}`)"),
            Form::Call => format!("`{name}` takes {takes}, after `=` (write `{example}`)"),
            Form::Value(_) => format!("`{name}` takes {takes} (write `{example}`)"),
        })
    }

    fn boolean(&self) -> syn::Result<bool> {
        self.argument.form.boolean().ok_or_else(|| self.wrong_kind())
    }

    fn string(&self) -> syn::Result<LitStr> {
        self.argument.form.string().ok_or_else(|| self.wrong_kind())
    }

    /// Puts the option's name before a message about its value.
    fn about<T>(&self, result: Result<T, String>) -> syn::Result<T> {
        result.map_err(|message| self.error(format!("`{}` {message}", self.known.name)))
    }

    fn size(&self) -> syn::Result<u64> {
        let text = self.string()?.value();
        self.about(values::size(&text))
    }

    fn set<T>(&self, value: T) -> Set<T> {
        Set { value, at: self.argument.name.span() }
    }
}

fn read_jetstream(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    options.jetstream = Some(given.boolean()?);
    Ok(())
}

fn read_config(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    let file = given.string()?;
    if file.value().trim().is_empty() {
        return given.about(Err(format!("is empty (write `{}`)", given.known.example)));
    }
    options.config = Some(file);
    Ok(())
}

fn read_version(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    let version = given.string()?;
    given.about(values::version(&version.value()))?;
    options.version = Some(version);
    Ok(())
}

fn read_flavor(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    let name = given.string()?.value();
    let flavor = match name.as_str() {
        "current_thread" => Flavor::CurrentThread,
        "multi_thread" => Flavor::MultiThread,
        _ => {
            let message = format!("is `current_thread` or `multi_thread`, not `{name}`");
            return given.about(Err(message));
        }
    };
    options.flavor = Some(given.set(flavor));
    Ok(())
}

fn read_worker_threads(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    let number = given.argument.form.integer().and_then(|number| number.base10_parse().ok());
    let workers = number.filter(|workers| *workers >= 1).ok_or_else(|| given.wrong_kind())?;
    options.worker_threads = Some(given.set(workers));
    Ok(())
}

fn read_start_paused(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    options.start_paused = Some(given.set(given.boolean()?));
    Ok(())
}

fn read_timeout(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    let text = given.string()?.value();
    options.timeout = Some(given.about(values::duration(&text))?);
    Ok(())
}

fn read_process(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    options.process = Some(given.set(given.boolean()?));
    Ok(())
}

fn read_max_peak_heap(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    options.max_peak_heap = Some(given.size()?);
    Ok(())
}

fn read_max_live_heap_growth(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    options.max_live_heap_growth = Some(given.size()?);
    Ok(())
}

fn read_max_rss_growth(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    options.max_rss_growth = Some(given.size()?);
    Ok(())
}

fn read_tasks(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    let name = given.string()?.value();
    options.tasks = Some(match name.as_str() {
        "deny" => Tasks::Deny,
        "warn" => Tasks::Warn,
        "off" => Tasks::Off,
        _ => return given.about(Err(format!("is `deny`, `warn` or `off`, not `{name}`"))),
    });
    Ok(())
}

fn read_allow_tasks(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    let number = given.argument.form.integer().and_then(|number| number.base10_parse().ok());
    options.allow_tasks = Some(given.set(number.ok_or_else(|| given.wrong_kind())?));
    Ok(())
}

fn read_baseline(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    let name = match given.argument.form {
        Form::Flag => None,
        _ => Some(given.string()?),
    };
    if let Some(name) = &name {
        given.about(values::baseline(&name.value()))?;
    }
    options.baseline = Some(given.set(name));
    Ok(())
}

fn read_rounds(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    let number = given.argument.form.integer().and_then(|number| number.base10_parse().ok());
    let number = number.filter(|number| *number >= 10).ok_or_else(|| given.wrong_kind())?;
    options.rounds = Some(given.set(number));
    Ok(())
}

fn read_crate(options: &mut Options, given: &Given<'_>) -> syn::Result<()> {
    let path = match &given.argument.form {
        Form::Value(tokens) => match given.argument.form.string() {
            Some(text) => text.parse_with(Path::parse_mod_style),
            None => syn::parse::Parser::parse2(Path::parse_mod_style, tokens.clone()),
        },
        Form::Flag | Form::NoValue | Form::Call => return Err(given.wrong_kind()),
    };
    options.crate_path = Some(path.map_err(|_| given.wrong_kind())?);
    Ok(())
}

#[cfg(test)]
mod tests;

//! This program as a child: it measures one thing, says it in one line, and ends.

use std::error::Error;
use std::io::Read as _;
use std::process::ExitCode;

use super::order::{Answer, Job, Order};
use super::{leaks, measure};

/// Does what the order says. The runtime has as many threads on every machine: figures are to be compared.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
pub(crate) async fn run(order: &str) -> ExitCode {
    end_with_the_parent();
    match answer(order).await {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn answer(order: &str) -> Result<String, Box<dyn Error>> {
    let order: Order = serde_json::from_str(order)?;
    let answer = match order.job {
        Job::Measure => Answer::Measured(Box::new(measure::measure(&order).await?)),
        Job::SeekLeaks => Answer::Leaks(leaks::seek(&order).await?),
    };
    Ok(serde_json::to_string(&answer)?)
}

/// The parent holds the other end of this pipe, and nobody else does: it ends with the parent, however that does. Our server ends with us.
fn end_with_the_parent() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
}

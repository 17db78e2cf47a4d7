//! Plays the outside world against a running switch: carriers and customers.

mod carrier;

use clap::{Parser, Subcommand};
use std::io::IsTerminal;
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Plays a carrier on loopback: answers OPTIONS and places calls with speech when told to (J4).
    Carrier(carrier::Options),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_target(false).with_ansi(std::io::stdout().is_terminal()).with_max_level(tracing::Level::INFO).init();
    let result = match Cli::parse().command {
        Command::Carrier(options) => carrier::run(options).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

//! Plays the outside world against a running switch: carriers and customers.

mod agents;
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
    /// Plays agents at their workstations, with WebRTC media: they take the calls that come.
    Agents(agents::Options),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let log = tracing_subscriber::fmt().with_target(false).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    log.with_max_level(tracing::Level::INFO).init();
    let result = match Cli::parse().command {
        Command::Carrier(options) => carrier::run(options).await,
        Command::Agents(options) => agents::run(options).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

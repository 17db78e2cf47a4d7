//! Plays the outside world against a running switch: carriers and customers.

mod agents;
mod bench;
mod browser;
mod carrier;
mod run;
mod scenario;
mod sockets;
mod story;

use clap::{Parser, Subcommand};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io::IsTerminal;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    /// Runs a scenario against a switch and reports what it measures (J1-J3).
    Run(run::Options),
    /// Measures the switch beside rtpengine and kamailio (`make bench`).
    Bench(bench::Options),
    /// Two hours at 70 % of a fast core (`make soak`).
    Soak(bench::soak::Options),
    /// The bare loop of `bench`: every datagram goes on to the sender's neighbouring port.
    #[command(hide = true)]
    Bounce { at: std::net::SocketAddrV4 },
    /// Prints the floor file that a scenario needs, for `cordboard apply`.
    Floor(run::Scene),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let log = tracing_subscriber::fmt().with_target(false).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // The WebRTC library tells each step of each browser's.
    log.with_env_filter("error,loadtest=info").init();
    // A browser has a socket of its own, and a desktop allows a thousand.
    if let Err(why) = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most)) {
        tracing::warn!(%why, "open files stay limited");
    }
    let result = match Cli::parse().command {
        Command::Carrier(options) => carrier::run(options).await,
        Command::Agents(options) => agents::run(options).await,
        Command::Run(options) => run::run(options).await,
        Command::Bench(options) => bench::run(options).await,
        Command::Soak(options) => bench::soak::run(options).await,
        Command::Bounce { at } => bench::bounce::run(at),
        Command::Floor(scene) => run::print_floor(&scene),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

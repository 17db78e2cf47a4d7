//! `make soak`: hours of everything at once on one core, whether the switch is afterwards as it was, and whether it had nothing to complain of.

use super::programs::places;
use super::{busy_house, on_the_second_core};
use crate::run::{Report, milliseconds_since_1970, round, write_report};
use crate::scenario::Scenario;
use std::io;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    #[arg(default_value = "loadtest/scenarios/soak.toml")]
    scenario: PathBuf,
    /// The switch's binary; it should be a release build.
    #[arg(long, default_value = "target/release/cordboard")]
    binary: PathBuf,
    /// Another rate than the scenario's, in calls a second: machines differ.
    #[arg(long)]
    rate: Option<f64>,
    /// Another length than the scenario's, in seconds.
    #[arg(long)]
    seconds: Option<f64>,
    /// A folder for report.html and report.json.
    #[arg(long, default_value = "loadtest/results/soak")]
    report: PathBuf,
}

pub async fn run(options: Options) -> io::Result<()> {
    on_the_second_core(work(options)).await
}

async fn work(options: Options) -> io::Result<()> {
    let mut scenario = Scenario::open(&options.scenario).map_err(io::Error::other)?;
    if let Some(seconds) = options.seconds {
        scenario = scenario.of_length(seconds).map_err(io::Error::other)?;
    }
    let began = milliseconds_since_1970();
    let (house, mut crew) = busy_house(&options.binary, &scenario).await?;
    let rate = options.rate.unwrap_or(scenario.arrivals.rate());
    let mut done = round(&scenario, places(house.program.at), rate, Some(&mut crew), Some(&house.program.process())).await?;
    crew.go_home().await;
    let complaints = house.complaints()?;
    if let Some(first) = complaints.first() {
        let fault = format!("the switch's log has {} lines of something wrong, the first: {first}", complaints.len());
        println!("  not clean: {fault}");
        done.faults.push(fault);
    }
    let clean = done.faults.is_empty();
    let name = options.scenario.display().to_string();
    write_report(&Report { about: scenario.about, scenario: name, began, rounds: vec![done], highest_clean_rate: None }, &options.report)?;
    if clean { Ok(()) } else { Err(io::Error::other("the run was not clean")) }
}

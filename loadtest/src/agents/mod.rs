//! Scripted agents: workstations without a page, with WebRTC media. Tells what happens in JSON lines on standard output.
//!
//! `{"event":"ready","agents":N}` once all are available; `{"event":"problem","agent":…,"what":…}` as they come; and, when standard
//! input has ended, `{"event":"summary","agents":[…]}` with what each has done.

pub mod caller;
pub mod desk;
pub mod moves;
pub mod tone;
mod voice;
pub mod wire;

use crate::story::CallOut;
use desk::{Desk, Entry, Media, Script, Tally};
use moves::Plot;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{JoinSet, LocalSet};

/// Agents who log in at the same time: hashing a password takes a core a while.
pub const LOGINS: usize = 4;

#[derive(clap::Args)]
pub struct Options {
    /// The switch, such as http://127.0.0.1:8080.
    #[arg(long)]
    url: String,
    /// The agents' addresses; {n} counts from 1.
    #[arg(long, default_value = "load{n}@demo.example")]
    pattern: String,
    #[arg(long, default_value_t = 100)]
    count: u32,
    /// The environment variable with the password of all of them.
    #[arg(long)]
    password_env: String,
    /// Hang up after so many seconds; without it customers do.
    #[arg(long)]
    talk: Option<u64>,
    /// In calls of other groups hold, transfer to this group, and consult it, as the last digits of the customer's number say.
    #[arg(long)]
    second: Option<String>,
}

/// What an agent tells while it works.
pub enum Report {
    Available(String),
    /// This customer's call rings at the agent's page.
    Rings {
        caller: String,
    },
    /// The agent talks to this customer.
    Talking {
        agent: u32,
        caller: String,
    },
    /// This customer is in self-service (D6).
    SelfService {
        caller: String,
    },
    /// The agent dials (E1).
    Dials(CallOut),
    Problem {
        agent: String,
        what: String,
    },
}

/// Runs until standard input ends. Agent n sends a tone of 400 + 10 n Hz.
pub async fn run(options: Options) -> io::Result<()> {
    LocalSet::new().run_until(work(options)).await
}

async fn work(options: Options) -> io::Result<()> {
    let password = std::env::var(&options.password_env).map_err(|error| io::Error::other(format!("{}: {error}", options.password_env)))?;
    let (reports, mut told) = mpsc::unbounded_channel();
    let stop = input_ends();
    let turns = Arc::new(Semaphore::new(LOGINS));
    let mut agents = JoinSet::new();
    for n in 1..=options.count {
        let script = Script {
            url: options.url.trim_end_matches('/').to_owned(),
            email: options.pattern.replace("{n}", &n.to_string()),
            entry: Entry::Password(password.clone()),
            agent: n,
            media: Media::Browser { hertz: 400 + 10 * n, host: Ipv4Addr::LOCALHOST },
            plot: Plot::Digits { talk: options.talk.map(Duration::from_secs) },
            second: options.second.clone(),
            flow: None,
            caller: None,
        };
        agents.spawn_local(day(script, Arc::clone(&turns), reports.clone(), stop.clone()));
    }
    drop(reports);
    let mut available = HashSet::new();
    while let Some(report) = told.recv().await {
        match report {
            Report::Available(agent) => {
                if available.insert(agent) && available.len() == agents.len() {
                    say(&json!({ "event": "ready", "agents": available.len() }))?;
                }
            }
            Report::Rings { .. } | Report::Talking { .. } | Report::SelfService { .. } | Report::Dials(_) => {}
            Report::Problem { agent, what } => say(&json!({ "event": "problem", "agent": agent, "what": what }))?,
        }
    }
    let tallies: Vec<Tally> = agents.join_all().await.into_iter().flatten().collect();
    say(&json!({ "event": "summary", "agents": tallies }))
}

/// One agent's day; its failure is a report.
pub async fn day(
    script: Script,
    turns: Arc<Semaphore>,
    reports: mpsc::UnboundedSender<Report>,
    stop: watch::Receiver<bool>,
) -> Option<Tally> {
    let agent = script.email.clone();
    let working = async {
        let client = desk::client();
        let turn = turns.acquire().await.map_err(|error| desk::failed("waiting for a turn", error))?;
        let cookie = desk::log_in(&client, &script).await?;
        drop(turn);
        Desk::open(script, &client, &cookie, reports.clone()).await?.work(stop).await
    };
    match working.await {
        Ok(tally) => Some(tally),
        Err(error) => {
            // Nobody listens any more: the program ends.
            let _ = reports.send(Report::Problem { agent, what: error.to_string() });
            None
        }
    }
}

fn say(line: &Value) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

/// Becomes true at the end of standard input. A thread of its own: reading blocks.
fn input_ends() -> watch::Receiver<bool> {
    let (end, ended) = watch::channel(false);
    std::thread::spawn(move || {
        // An input that cannot be read has ended too.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        end.send_replace(true);
    });
    ended
}

//! The agents of a run: brought online, heard while they work, sent home.

use super::check;
use super::engine::{AtDesk, Log};
use super::floor::{self, email};
use super::results::Check;
use crate::agents::caller::{Caller, Window};
use crate::agents::desk::{Desk, DeskError, Entry, Media, Script, client, failed, log_in};
use crate::agents::moves::Plot;
use crate::agents::{self, LOGINS};
use crate::browser::booth::{Booth, Lines};
use crate::scenario::{Kind, Scenario};
use crate::story::index_of;
use awc::http::header;
use serde::Deserialize;
use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc as tokio_mpsc, watch};
use tokio::task::JoinSet;

/// Nobody dials so shortly before the end that the call may come when all others are over.
const LAST_DIAL: Duration = Duration::from_secs(1);

/// What happens at the desks, and when.
pub type AtDesks = tokio_mpsc::UnboundedReceiver<(Instant, AtDesk)>;

/// The agents at work, and the admin who reads the records.
pub struct Crew {
    client: awc::Client,
    url: String,
    admin: String,
    pub at_desks: AtDesks,
    /// When callers call out.
    window: watch::Sender<Option<Window>>,
    problems: Receiver<String>,
    stop: watch::Sender<bool>,
    desks: JoinSet<()>,
    /// Where the agents' lines are between rounds.
    booth: Option<Booth>,
}

impl Crew {
    /// `host`: where browsers' voice paths begin.
    pub async fn bring_online(url: &str, entry: &Entry, scenario: &Scenario, host: Ipv4Addr) -> Result<Self, DeskError> {
        let url = url.trim_end_matches('/').to_owned();
        let booth = (scenario.agents.kind == Kind::Browsers).then(|| Booth::open(host)).transpose();
        let booth = booth.map_err(|error| failed("the browsers", error))?;
        let media = |agent: u32| match (scenario.agents.kind, &booth) {
            (Kind::Webrtc, _) => Media::Browser { hertz: 400 + 10 * (agent % 300), host },
            (Kind::Browsers, Some(booth)) => Media::Line(booth.clone()),
            (Kind::Browsers, None) | (Kind::Phones | Kind::Workstations, _) => Media::Phone,
        };
        let whole = Arc::new(scenario.clone());
        let script = |email: String, agent: u32| Script {
            url: url.clone(),
            email,
            entry: entry.clone(),
            agent,
            media: media(agent),
            plot: Plot::Scenario(Arc::clone(&whole)),
            second: (scenario.agents.second > 0).then(|| floor::SECOND.to_owned()),
            flow: None,
            caller: None,
        };
        let client = client();
        let admin = log_in(&client, &script(floor::ADMIN.to_owned(), 0)).await?;
        let flow = if scenario.agents.self_service > 0.0 { Some(flow(&client, &url, &admin).await?) } else { None };
        let (window, told_window) = watch::channel(None);
        let (reports, told) = tokio_mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let turns = Arc::new(Semaphore::new(LOGINS));
        let mut desks = JoinSet::new();
        for agent in 1..=scenario.agents.all() {
            let caller = (agent > scenario.agents.count).then(|| Caller::new(agent, Arc::clone(&whole), told_window.clone()));
            let script = Script { flow, caller, ..script(email(agent), agent) };
            let (turns, reports, stopped) = (Arc::clone(&turns), reports.clone(), stopped.clone());
            if scenario.agents.kind == Kind::Phones {
                desks.spawn_local(come_and_go(script, turns, reports));
            } else {
                desks.spawn_local(async move { drop(agents::day(script, turns, reports, stopped).await) });
            }
        }
        drop(reports);
        let (at_desks, problems) = Self::listen(told, scenario.agents.all()).await?;
        Ok(Self { client, url, admin, at_desks, window, problems, stop, desks, booth })
    }

    /// Waits until all are available; then sorts what is told.
    async fn listen(mut told: tokio_mpsc::UnboundedReceiver<agents::Report>, count: u32) -> Result<(AtDesks, Receiver<String>), DeskError> {
        let mut available = HashSet::new();
        while u32::try_from(available.len()).unwrap_or(u32::MAX) < count {
            match told.recv().await {
                Some(agents::Report::Available(agent)) => drop(available.insert(agent)),
                Some(
                    agents::Report::Rings { .. }
                    | agents::Report::Talking { .. }
                    | agents::Report::SelfService { .. }
                    | agents::Report::Dials(_),
                ) => {}
                Some(agents::Report::Problem { agent, what }) => return Err(failed(&agent, what)),
                None => return Err(failed("going online", "an agent did not come")),
            }
        }
        println!("{count} agents are available");
        let (tell, at_desks) = tokio_mpsc::unbounded_channel();
        let (problem, problems) = mpsc::channel();
        tokio::task::spawn_local(async move {
            while let Some(report) = told.recv().await {
                let what = match report {
                    agents::Report::Available(_) => None,
                    agents::Report::Rings { caller } => index_of(&caller).map(|call| AtDesk::Rings { call }),
                    // Calls out are seen where they are answered.
                    agents::Report::Talking { agent, caller } => index_of(&caller).map(|call| AtDesk::Talks { call, agent }),
                    agents::Report::SelfService { caller } => index_of(&caller).map(|call| AtDesk::SelfService { call }),
                    agents::Report::Dials(call) => Some(AtDesk::Dials(call)),
                    agents::Report::Problem { agent, what } => {
                        // Nobody listens any more: the program ends.
                        let _ = problem.send(format!("{agent}: {what}"));
                        None
                    }
                };
                if let Some(what) = what {
                    let _ = tell.send((Instant::now(), what));
                }
            }
        });
        Ok((at_desks, problems))
    }

    /// Lets those who call out do so in a round of that length, and lends the agents' lines to it.
    pub fn begin(&self, length: Duration) -> Lines {
        let from = tokio::time::Instant::now();
        self.window.send_replace(Some(Window { from, until: from + length.saturating_sub(LAST_DIAL) }));
        self.booth.as_ref().map(Booth::lend).unwrap_or_default()
    }

    pub fn take_back(&self, lines: Lines) {
        if let Some(booth) = &self.booth {
            booth.take_back(lines);
        }
    }

    pub fn problems(&mut self) -> Vec<String> {
        self.problems.try_iter().collect()
    }

    pub async fn check(&self, log: &Log, scenario: &Scenario, began: u64) -> Result<Check, DeskError> {
        check::check(&self.client, &self.url, &self.admin, log, scenario, began).await
    }

    pub async fn go_home(mut self) {
        self.stop.send_replace(true);
        while self.desks.join_next().await.is_some() {}
    }
}

/// The id of the flow in which customers press a key (D6).
async fn flow(client: &awc::Client, url: &str, cookie: &str) -> Result<i32, DeskError> {
    let request = client.get(format!("{url}/api/v1/flows")).insert_header((header::COOKIE, cookie));
    let mut response = request.send().await.map_err(|error| failed("asking for the flows", error))?;
    if !response.status().is_success() {
        return Err(failed("asking for the flows", response.status()));
    }
    let flows: Vec<Flow> = response.json().await.map_err(|error| failed("reading the flows", error))?;
    let known = flows.into_iter().find(|flow| flow.name == floor::FLOW);
    known.map(|flow| flow.id).ok_or_else(|| failed("the floor", format!("it has no flow {:?}", floor::FLOW)))
}

#[derive(Deserialize)]
struct Flow {
    id: i32,
    name: String,
}

/// An agent who answers on a SIP phone is made available and needs no page then (B3).
async fn come_and_go(script: Script, turns: Arc<Semaphore>, reports: tokio_mpsc::UnboundedSender<agents::Report>) {
    let agent = script.email.clone();
    let coming = async {
        let _turn = turns.acquire().await.map_err(|error| failed("waiting for a turn", error))?;
        let client = client();
        let cookie = log_in(&client, &script).await?;
        Desk::open(script, &client, &cookie, reports.clone()).await?.bring_online().await
    };
    if let Err(error) = coming.await {
        // Nobody listens any more: the program ends.
        let _ = reports.send(agents::Report::Problem { agent, what: error.to_string() });
    }
}

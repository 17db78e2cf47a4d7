//! The customer in a self-service flow in the middle of a conversation (D6): the agent neither hears nor is heard, and sees what the customer does.

use super::{Call, State, Talk};
use crate::cx::{Cx, Millis};
use crate::flow::{Definition, Output, Run};
use crate::message::{Action, MediaAction, Served, Source};
use crate::record::What;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct SelfService {
    flow: String,
    run: Run,
    /// The sounds that play now.
    playing: Option<u64>,
}

impl SelfService {
    pub fn seen(&self) -> Served {
        Served {
            flow: self.flow.clone(),
            step: self.run.step().to_owned(),
            keys: self.run.keys().to_owned(),
            results: self.run.results().to_vec(),
            running: !self.run.is_over(),
        }
    }
}

impl Talk {
    pub(super) fn is_in_flow(&self) -> bool {
        self.service.as_ref().is_some_and(|service| !service.run.is_over())
    }

    /// Sent away, put aside for somebody else, or in self-service: one at a time.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.transfer.is_some() || self.consult.is_some() || self.is_in_flow()
    }
}

impl Call {
    pub(super) fn start_flow(&mut self, flow: &str, definition: &Definition, out: &mut Vec<Action>, cx: &Cx) {
        let State::Talking(talk) = &mut self.state else { return };
        if talk.is_elsewhere() {
            return;
        }
        let (run, first) = Run::begin(definition.clone(), cx.now);
        talk.service = Some(Box::new(SelfService { flow: flow.to_owned(), run, playing: None }));
        talk.seat.refusal = None;
        let agent = talk.seat.leg;
        self.digits.forget();
        out.push(Action::Journal(What::FlowBegan { flow: flow.to_owned() }));
        out.push(self.hear(Source::Silence));
        // No key of the customer's, which may be a card number's, reaches the agent's ear.
        out.push(Action::Media(MediaAction::Hear { leg: agent, source: Source::Silence }));
        self.flow_does(first, out);
    }

    /// The agent takes the customer back.
    pub(super) fn end_flow(&mut self, out: &mut Vec<Action>) {
        let State::Talking(talk) = &mut self.state else { return };
        if let Some(service) = talk.service.as_mut().filter(|service| !service.run.is_over()) {
            service.run.stop();
            self.voices_changed(out);
        }
    }

    pub(super) fn flow_deadline(&self) -> Option<Millis> {
        let State::Talking(talk) = &self.state else { return None };
        talk.service.as_ref().and_then(|service| service.run.next_deadline())
    }

    pub(super) fn flow_tick(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        if self.flow_deadline().is_some_and(|due| due <= cx.now) {
            self.in_flow(|service| service.run.tick(cx.now), out);
        }
    }

    pub(super) fn key_pressed(&mut self, key: char, out: &mut Vec<Action>, cx: &Cx) {
        self.in_flow(|service| service.run.key(key, cx.now), out);
    }

    pub(super) fn flow_played(&mut self, token: u64, out: &mut Vec<Action>, cx: &Cx) {
        let plays = |talk: &Talk| talk.service.as_ref().is_some_and(|service| service.playing == Some(token));
        if matches!(&self.state, State::Talking(talk) if plays(talk)) {
            self.in_flow(|service| service.run.played(cx.now), out);
        }
    }

    fn in_flow(&mut self, step: impl FnOnce(&mut SelfService) -> Vec<Output>, out: &mut Vec<Action>) {
        let State::Talking(talk) = &mut self.state else { return };
        let Some(service) = talk.service.as_mut().filter(|service| !service.run.is_over()) else { return };
        let todo = step(service);
        self.flow_does(todo, out);
    }

    fn flow_does(&mut self, todo: Vec<Output>, out: &mut Vec<Action>) {
        for output in todo {
            match output {
                Output::Play(sounds) => {
                    let token = self.token();
                    if let State::Talking(Talk { service: Some(service), .. }) = &mut self.state {
                        service.playing = Some(token);
                    }
                    out.push(Action::Media(MediaAction::Play { leg: self.arrival.leg, sounds, token }));
                }
                Output::Quiet => out.push(self.hear(Source::Silence)),
                Output::Result(result) => out.push(Action::Journal(What::FlowResult(result))),
                Output::Over => out.push(Action::Journal(What::FlowFinished)),
            }
        }
        self.voices_changed(out);
    }
}

//! Pages and their sockets: one that died is followed by a new one of the same page (B3).

use super::AgentRole;

impl AgentRole {
    /// The socket that this page has so far, of which nothing is known but that the page opens another.
    pub(super) fn socket_of(&self, tab: u64) -> Option<u64> {
        self.pages.iter().find(|(_, page)| page.tab == Some(tab)).map(|(id, _)| *id)
    }

    /// The page has a new socket: the audio that it owned stays its own.
    pub(super) fn succeed(&mut self, before: u64, page: u64) {
        self.pages.remove(&before);
        let follow = |owner| if owner == before { page } else { owner };
        self.audio = self.audio.map(follow);
        self.peer = self.peer.map(|(peer, owner)| (peer, follow(owner)));
    }
}

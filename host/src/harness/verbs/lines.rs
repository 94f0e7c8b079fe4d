//! The verbs that break a client's line, and give it another one.

use crate::harness::outcome::{StepError, StepResult, result};
use crate::harness::session::Harness;
use crate::server::inside::InsideClient;

impl Harness {
    /// Breaks the line of a client that may come back.
    pub(in crate::harness) fn lose_line(&mut self, who: &str) -> StepResult {
        self.speaking(who)?;
        let peer = self.peer(who)?;
        peer.collect();
        if peer.inbox.session.is_none() {
            return Err(StepError::new(format!("{who:?} cannot come back: connect it with `resume` in its query")));
        }
        peer.lose_line();
        self.world.run(async {});
        result(())
    }

    /// Gives a client another line, over which it says what it has, as `client.js` does.
    pub(in crate::harness) fn come_back(&mut self, who: &str) -> StepResult {
        let peer = self.peer(who)?;
        let wish = peer.wish().filter(|_| peer.is_lost());
        let Some((uri, headers)) = wish else { return Err(StepError::new(format!("{who:?} has not lost its line"))) };
        let (world, tenant) = (&self.world, &self.options.key.tenant);
        let client = InsideClient::Request { uri: &uri, headers: &headers };
        let Some(peer) = self.peers.get_mut(who) else { return result(()) };
        let told = world.run(async {
            let stream = world.connect(tenant, client).await?;
            peer.go_on_over(stream).await;
            Ok(())
        });
        told.map_err(|(status, body): (u16, String)| StepError {
            words: format!("refused with {status} {body}").trim_end().to_owned(),
            refused: Some((status, body)),
        })?;
        let is_back = self.peer(who)?.collect().session.as_ref().is_some_and(|session| session.is_back);
        if is_back { result(()) } else { Err(StepError::new(format!("{who:?} came too late, and is a new member"))) }
    }

    /// Makes sure that a socket is open and has its line.
    pub(in crate::harness) fn speaking(&mut self, who: &str) -> Result<(), StepError> {
        let peer = self.peer(who)?;
        match peer.closing() {
            Some(closing) => {
                let (code, reason) = (closing.code, closing.reason);
                Err(StepError::new(format!("the socket {who:?} is closed, with {code} {reason:?}")))
            }
            None if peer.is_lost() => Err(StepError::new(format!("the socket {who:?} has lost its line"))),
            None => Ok(()),
        }
    }
}

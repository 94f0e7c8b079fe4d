//! Which function does what a step says.

use super::outcome::{StepResult, result};
use super::session::Harness;
use super::step::RoomStep;

impl Harness {
    /// Does a step; answers its result, or why it has none. False behind the last one.
    pub fn step(&mut self, step: RoomStep) -> (StepResult, bool) {
        let goes_on = !matches!(step, RoomStep::Quit);
        (self.run(step), goes_on)
    }

    fn run(&mut self, step: RoomStep) -> StepResult {
        match step {
            RoomStep::Open(opening) => self.open(opening),
            RoomStep::Connect(connect) => self.connect(connect),
            RoomStep::Refused(refused) => self.refused(refused),
            RoomStep::Send(send) => self.send(send),
            RoomStep::Request(request) => self.request(request),
            RoomStep::Answer(answer) => self.answer(answer),
            RoomStep::Do(run) => self.operate(run),
            RoomStep::Expect(expected) => self.expect_events(&expected),
            RoomStep::Frames(who) => self.frames(who.as_deref()),
            RoomStep::Closed(expected) => self.closed(&expected),
            RoomStep::HowClosed(who) => self.how_closed(&who),
            RoomStep::Leave(leaving) => self.leave(&leaving),
            RoomStep::LoseLine(who) => self.lose_line(&who),
            RoomStep::ComeBack(who) => self.come_back(&who),
            RoomStep::Failures(expected) => self.failures(expected.as_deref()),
            RoomStep::Log(expected) => self.log(expected.as_deref()),
            RoomStep::Advance(ms) => self.advance(ms),
            RoomStep::Sleep => self.sleep(),
            RoomStep::Crash => self.crash(),
            RoomStep::Check => self.check(),
            RoomStep::FailCommits(batches) => self.fail_commits(batches),
            RoomStep::Restart => self.restart(),
            RoomStep::Swap(file) => self.swap(file, None),
            RoomStep::SwapFails(code) => self.swap(None, Some(&code)),
            RoomStep::Stored(expected) => self.stored(expected.as_ref()),
            RoomStep::Room => self.look(),
            RoomStep::Quit => result(()),
        }
    }
}

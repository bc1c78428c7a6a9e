//! Holds what came against what a chat tells.

use super::{Difference, Player, Stopped, plain};
use crate::{
    model::*,
    rehearsal::{
        chat::{Expected, Line},
        facts,
        said::{Pattern, Said},
    },
};

impl Player<'_> {
    pub(super) fn whom(&self, line: &Line, to: Option<&String>) -> Result<String, Stopped> {
        let what = "nobody has spoken yet: say whom it is about, as in `bot to Ann:`";
        let who = to.or(self.spoke.as_ref()).cloned();
        who.ok_or_else(|| Stopped::Told(plain(line.first, what)))
    }

    pub(super) fn contact(&self, line: &Line, who: &str) -> Result<ContactId, Stopped> {
        self.contacts.get(who).copied().ok_or_else(|| {
            let what = format!("{who} has neither written nor is a `customer` of this chat");
            Stopped::Told(plain(line.first, what))
        })
    }

    fn source(&self, first: usize, last: usize) -> Vec<String> {
        let lines = self.source.get(first - 1..last).unwrap_or_default();
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    /// How a chat begins what is told of the bot.
    fn bot_to(&self, who: &str) -> String {
        match self.spoke.as_deref() == Some(who) {
            true => "bot".into(),
            false => format!("bot to {who}"),
        }
    }

    /// As a chat tells it, noted in the block.
    fn came(&mut self, who: &str, said: &Said) -> Vec<String> {
        let written = said.written(&self.bot_to(who));
        self.block.came.push((who.to_owned(), written.clone()));
        written
    }

    pub(super) async fn expected(
        &mut self,
        line: &Line,
        expected: &Expected,
    ) -> Result<(), Stopped> {
        match expected {
            Expected::Message { to, message } => {
                let who = self.whom(line, to.as_ref())?;
                self.block.told.push((line.first, line.last));
                self.message(line, &who, message).await?;
            }
            Expected::Nothing { to } => {
                let who = self.whom(line, to.as_ref())?;
                self.block.told.push((line.first, line.last));
                let open = std::mem::take(&mut self.open);
                let (came, rest): (Vec<_>, Vec<_>) =
                    open.into_iter().partition(|(to, _)| *to == who);
                self.open = rest;
                if came.is_empty() {
                    let as_told = self.source(line.first, line.last);
                    self.block.came.push((who, as_told));
                }
                for (who, said) in came {
                    let came = self.came(&who, &said);
                    self.differs(line, "the bot was to say nothing", came, &who).await?;
                }
            }
            Expected::Tags { who, .. }
            | Expected::Attribute { who, .. }
            | Expected::Consent { who, .. } => self.fact(line, who.clone(), expected).await?,
            Expected::Handoff { who, .. } | Expected::Note { who, .. } => {
                let who = self.whom(line, who.as_ref())?;
                self.fact(line, who, expected).await?;
            }
        }
        Ok(())
    }

    /// Holds the next message to `who` against what is told; loosely, the next
    /// that fits.
    async fn message(&mut self, line: &Line, who: &str, told: &Pattern) -> Result<(), Stopped> {
        let fits = |(to, said): &(String, Said)| *to == who && told.fits(said);
        let next = match self.loosely {
            true => self.open.iter().position(fits),
            false => self.open.iter().position(|(to, _)| *to == who),
        };
        let Some(next) = next else {
            self.silent(who);
            return self.differs(line, "the bot did not say it", Vec::new(), who).await;
        };
        let entry = self.open.remove(next);
        if fits(&entry) {
            let as_told = self.source(line.first, line.last);
            self.block.came.push((entry.0, as_told));
            return Ok(());
        }
        let came = self.came(who, &entry.1);
        self.differs(line, "the bot said something else", came, who).await
    }

    /// Notes that the bot said nothing to `who`, if that is so.
    fn silent(&mut self, who: &str) {
        let heard = self.block.came.iter().map(|(to, _)| to);
        if heard.chain(self.open.iter().map(|(to, _)| to)).all(|to| to != who) {
            let nothing = format!("{}: nothing", self.bot_to(who));
            self.block.came.push((who.to_owned(), vec![nothing]));
        }
    }

    async fn differs(
        &mut self,
        line: &Line,
        what: &str,
        came: Vec<String>,
        who: &str,
    ) -> Result<(), Stopped> {
        self.block.differs = true;
        let expected = self.source(line.first, line.last);
        let because = self.because(who).await?;
        let (line, what) = (line.first, what.into());
        let of_bot = true;
        self.differences.push(Difference { line, what, expected, came, because, of_bot });
        Ok(())
    }

    async fn fact(&mut self, line: &Line, who: String, expected: &Expected) -> Result<(), Stopped> {
        let id = self.contact(line, &who)?;
        let Some(contact) = self.rehearsal.store.contact(id).await? else { return Ok(()) };
        let generation = self.rehearsal.generation();
        let rules = crate::turn::policy_rules(&generation.business);
        if let Some(came) = facts::differs(&contact, expected, self.rehearsal.now(), &rules) {
            let expected = self.source(line.first, line.last);
            let because = self.because(&who).await?;
            let (line, what) = (line.first, "it is not so".into());
            let (came, of_bot) = (vec![format!("{who} {came}")], false);
            self.differences.push(Difference { line, what, expected, came, because, of_bot });
        }
        Ok(())
    }

    /// Ends a block: what was not told of it is a difference.
    pub(super) async fn close(&mut self) -> Result<(), Stopped> {
        for (who, said) in std::mem::take(&mut self.open) {
            if self.loosely {
                continue;
            }
            let came = self.came(&who, &said);
            self.block.differs = true;
            let because = self.because(&who).await?;
            let (line, what) = (self.block.after, "the bot said what is not told".into());
            let (expected, of_bot) = (Vec::new(), true);
            self.differences.push(Difference { line, what, expected, came, because, of_bot });
        }
        self.blocks.push(std::mem::take(&mut self.block));
        Ok(())
    }
}

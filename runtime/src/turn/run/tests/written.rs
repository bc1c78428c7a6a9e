//! The language that a contact writes in, over a turn of steps.

use super::{super::super::StepError, *};

/// Asks for the language, says it, and may then fail.
struct Asks {
    among: &'static [&'static str],
    fails: bool,
}

#[async_trait]
impl Step for Asks {
    fn name(&self) -> &str {
        "asks"
    }
    fn plugin(&self) -> &str {
        "asks 1.0.0"
    }
    fn wants(&self, _: &str) -> bool {
        true
    }
    async fn run(&self, mut draft: Draft) -> Ran {
        let tags: Vec<String> = self.among.iter().map(|tag| (*tag).to_owned()).collect();
        let said = draft.language_among(&tags).unwrap_or_default();
        draft.because(&said);
        let failed = || Err(StepError::Plugin("no luck".into()));
        let outcome = if self.fails { failed() } else { Ok(Verdict::Continue) };
        Ran::unmeasured(draft, outcome, self.plugin())
    }
}

#[tokio::test]
async fn what_is_sure_commits_with_the_turn_and_goes_with_a_step_that_fails() {
    let english = Some(Written { language: "en".into(), at: NOW });
    let cases: [(&'static [&'static str], _, _, _); 3] = [
        (&["en", "zh"], false, "en", english),
        (&["en", "zh"], true, "en", None),
        // Nothing of its script is among them.
        (&["ru", "zh"], false, "", None),
    ];
    for (among, fails, said, kept) in cases {
        let commit = ran(Arc::new(Asks { among, fails }), true).await.unwrap();
        let trace = commit.trace.unwrap();
        assert_eq!(trace.steps[0].because, [said], "{among:?}");
        assert_eq!(commit.contact.unwrap().written, kept, "{among:?} {fails}");
    }
}

//! Runs a case on the real plugin host: the component with its rules, a store
//! in memory, the provider's limits, a clock that stands still, no network.

use super::{
    compare,
    contact::ID,
    effect::EffectForm,
    event::{EventForm, LaneForm},
    form::{Case, Expected, ProblemForm, StepForm, StoredAfter},
    moment,
};
use crate::{
    config::{
        ChannelConfig, Document, Isolation, Limits, OnError, Policy, ProviderKind, Rollout,
        StepConfig, Turns,
    },
    model::*,
    plugin::{ConfigureError, Plugin, PluginStep},
    policy,
    provider::{Provider, meta::Meta},
    store::{self, Store, StoreError},
    turn::{Draft, Network, Setting, Step, rules_of},
};
use serde_json::{Map, Value};
use std::{path::Path, sync::Arc};

/// How a case ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub came: Came,
    /// Where it is not as expected, in words for people, each a line or more.
    pub differences: Vec<String>,
    /// What the plugin logged and printed.
    pub logs: Vec<LogLine>,
}

impl Outcome {
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    /// `configure` took the rules, and the case asks for no more.
    Taken,
    /// The rules were refused: by the schema, or by `configure`.
    Refused(Vec<ProblemForm>),
    Handled {
        verdict: Verdict,
        effects: Vec<EffectForm>,
        /// The keys that were written, and those that the case asks after, as
        /// they are afterwards.
        stored: StoredAfter,
        because: Vec<String>,
    },
    /// `handle` failed: what was said.
    Failed(String),
    /// It could not be run at all.
    Impossible(String),
}

impl Came {
    /// As `expected.json` would have it; `before` says which parts were told.
    pub fn expected(&self, before: Option<&Expected>) -> Option<Expected> {
        let none = Expected::default();
        Some(match self.clone() {
            Self::Taken => Expected { problems: Some(Vec::new()), ..none },
            Self::Refused(problems) => Expected { problems: Some(problems), ..none },
            Self::Failed(error) => Expected { error: Some(error), ..none },
            Self::Handled { verdict, effects, stored, because } => Expected {
                verdict: Some(verdict),
                effects,
                stored: Some(stored).filter(|stored| !stored.is_empty()),
                because: before.and_then(|before| before.because.as_ref()).map(|_| because),
                ..none
            },
            Self::Impossible(_) => return None,
        })
    }
}

/// Runs a case on a plugin.
pub async fn run(plugin: &Arc<Plugin>, case: &Case) -> Outcome {
    run_within(plugin, case, None).await
}

/// As `run`, with the memory and time of `most` at most, whatever the case
/// says.
pub async fn run_within(plugin: &Arc<Plugin>, case: &Case, most: Option<&Limits>) -> Outcome {
    let mut logs = Vec::new();
    let came = come(plugin, case, most, &mut logs).await;
    let came = came.unwrap_or_else(Came::Impossible);
    let differences = compare::differences(case.expected.as_ref(), &came);
    Outcome { came, differences, logs }
}

async fn come(
    plugin: &Arc<Plugin>,
    case: &Case,
    most: Option<&Limits>,
    logs: &mut Vec<LogLine>,
) -> Result<Came, String> {
    let form = case.step()?;
    let empty = Value::Object(Map::new());
    let rules = case.rules.as_ref().unwrap_or(&empty);
    let problems = schema_problems(plugin, rules)?;
    if !problems.is_empty() {
        return Ok(Came::Refused(problems));
    }
    let config = step_config(plugin, form, most);
    let step = match plugin.configure(&config, rules).await {
        Ok(step) => step,
        Err(ConfigureError::Rules(problems)) => {
            let form = |it: crate::plugin::RuleProblem| ProblemForm {
                path: it.path,
                message: Some(it.message),
            };
            return Ok(Came::Refused(problems.into_iter().map(form).collect()));
        }
        Err(ConfigureError::Failed(why)) => return Ok(Came::Failed(why)),
    };
    let Some(event) = &case.event else { return Ok(Came::Taken) };
    handle(&step, &config, case, event, logs).await
}

/// As a generation checks rules before it hands them over.
fn schema_problems(plugin: &Plugin, rules: &Value) -> Result<Vec<ProblemForm>, String> {
    let text = serde_json::to_string_pretty(rules).map_err(|error| error.to_string())?;
    let document = Document::parse(Path::new("rules.json"), &text);
    let document = document.map_err(|problem| problem.to_string())?;
    let form = |problem: crate::config::Problem| ProblemForm {
        path: pointer_of(&problem.key),
        message: Some(problem.message),
    };
    Ok(plugin.schema_problems(&document)?.into_iter().map(form).collect())
}

/// `answer[2].say` as `/answer/2/say`.
fn pointer_of(key: &str) -> String {
    let mut pointer = String::new();
    let mut segment = String::new();
    let (mut quoted, mut begun) = (false, false);
    let mut end = |segment: &mut String, begun: &mut bool| {
        if std::mem::take(begun) {
            let plain = std::mem::take(segment).replace('~', "~0").replace('/', "~1");
            pointer = format!("{pointer}/{plain}");
        }
    };
    for c in key.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                begun = true;
            }
            '.' | '[' | ']' if !quoted => end(&mut segment, &mut begun),
            _ => {
                segment.push(c);
                begun = true;
            }
        }
    }
    end(&mut segment, &mut begun);
    pointer
}

fn step_config(plugin: &Plugin, form: StepForm, most: Option<&Limits>) -> StepConfig {
    let mut limits = form.limits;
    if let Some(most) = most {
        limits.memory_mb = limits.memory_mb.min(most.memory_mb);
        limits.time_ms = limits.time_ms.min(most.time_ms);
        limits.configure_ms = limits.configure_ms.min(most.configure_ms);
    }
    let name = plugin.descriptor().name.clone();
    StepConfig {
        plugin: name.clone(),
        name,
        rules: None,
        on_error: OnError::default(),
        error_reply: None,
        // Each case has a step of its own, so this one instance is new, and no
        // time goes into preparing for more of them.
        isolation: Isolation::Warm,
        grants: form.grants,
        limits,
        rollout: Rollout::default(),
    }
}

async fn handle(
    step: &PluginStep,
    config: &StepConfig,
    case: &Case,
    form: &EventForm,
    logs: &mut Vec<LogLine>,
) -> Result<Came, String> {
    let now = form.now.map_or(moment::DEFAULT, |now| now.0);
    let kind = form.kind(&config.name, now)?;
    if !step.wants(kind.name()) {
        return Err(format!(
            "the plugin does not ask for `{}` events, so it never sees this one",
            kind.name()
        ));
    }
    let store = store::memory();
    let draft = draft(config, case, form, kind, now, &store).await;
    let ran = step.run(draft.map_err(|why| why.to_string())?).await;
    let (mut draft, outcome) = ran.into_parts();
    logs.append(&mut draft.logs);
    Ok(match outcome {
        Err(error) => Came::Failed(error.to_string()),
        Ok(verdict) => {
            let mut stored = StoredAfter::default();
            for (scope, key) in asked_after(case) {
                let before = case.stored.as_ref().and_then(|stored| stored.get(scope, key));
                stored.insert(scope, key.clone(), before.map(|value| value.0.clone()));
            }
            for write in draft.kv.into_values() {
                stored.insert(write.scope, write.key, write.value);
            }
            let effects = draft.effects.iter().map(EffectForm::from).collect();
            Came::Handled { verdict, effects, stored, because: draft.because }
        }
    })
}

/// The keys that the case wants to see afterwards, written or not.
fn asked_after(case: &Case) -> impl Iterator<Item = (KvScope, &String)> {
    let stored = case.expected.iter().filter_map(|expected| expected.stored.as_ref());
    stored.flat_map(|stored| stored.entries().map(|(scope, key, _)| (scope, key)))
}

async fn draft(
    config: &StepConfig,
    case: &Case,
    form: &EventForm,
    kind: EventKind,
    now: Millis,
    store: &Arc<dyn Store>,
) -> Result<Draft, StoreError> {
    let channel = ChannelId::new(form.channel.as_deref().unwrap_or("main"));
    let contact = match form.lane.unwrap_or(LaneForm::Contact) {
        LaneForm::Channel => None,
        LaneForm::Contact => {
            let about = case.contact.clone().unwrap_or_default();
            let sent_at = form.message.as_ref().map(|it| it.sent_at().unwrap_or(now));
            Some(about.contact(&channel, now, sent_at))
        }
    };
    let lane = match contact {
        Some(_) => Lane::Contact(ID),
        None => Lane::Channel(channel.clone()),
    };
    if let Some(stored) = &case.stored {
        let writes = stored.entries().map(|(scope, key, value)| KvWrite {
            step: config.name.clone(),
            scope,
            key: key.clone(),
            value: Some(value.0.clone()),
            expires: None,
        });
        fill(&**store, &channel, contact.is_some(), writes.collect(), now).await?;
    }
    let recorded = case.http.iter().flatten().filter_map(|form| form.exchange().ok()).collect();
    let event = Event {
        id: EventId { lane, seq: form.turn.unwrap_or(2) },
        channel,
        sender: None,
        kind,
        raw: form.raw.as_ref().map(Value::to_string).unwrap_or_default(),
        accepted_at: now,
        attempts: 0,
        member: None,
        tries: 0,
    };
    let zone = form.zone.as_deref().unwrap_or("UTC");
    // It was read before, when the case was checked.
    let calendar = case.calendar(zone).unwrap_or_default();
    let setting = Setting {
        event: Arc::new(event),
        now,
        zone: zone.into(),
        calendar: calendar.map(Arc::new),
        provider: provider(),
        store: Arc::clone(store),
        policy: usual_policy(),
        templates: Default::default(),
    };
    let (step, limits) = (config.name.as_str(), (&config.limits).into());
    let mut draft = Draft::new(setting, step, config.grants.clone(), limits);
    draft.contact = contact;
    draft.sends = form.sends.unwrap_or_default();
    draft.network = Network::Recorded(recorded);
    Ok(draft)
}

/// Puts what was stored before into the store: by a turn before this one.
async fn fill(
    store: &dyn Store,
    channel: &ChannelId,
    of_contact: bool,
    kv: Vec<KvWrite>,
    now: Millis,
) -> Result<(), StoreError> {
    let message = Message::new("before", now, Content::Text(String::new()));
    let phone = Some("1".to_owned());
    // A message makes its contact, the first of the store: `ID`.
    let (sender, kind) = match of_contact {
        true => (Some(Sender { phone, ..Sender::default() }), EventKind::Message(message)),
        false => (None, EventKind::Account { field: "before".into(), news: News::Other }),
    };
    let happening = Happening {
        channel: channel.clone(),
        dedup: "before".into(),
        sender,
        kind,
        raw: String::new(),
    };
    for accepted in store.accept(vec![happening], now).await? {
        if let Accepted::New(turn) = accepted {
            let kv = kv.clone();
            store.commit(TurnCommit { kv, ..TurnCommit::new(turn) }, now).await?;
        }
    }
    Ok(())
}

/// The rules of a business that has not changed them.
pub fn usual_policy() -> policy::Rules {
    rules_of(&Turns::default(), &Policy::default())
}

/// Its limits alone are asked for: nothing is sent.
fn provider() -> Arc<dyn Provider> {
    Arc::new(Meta::new(&ChannelConfig {
        phone_number_id: "0".into(),
        ..ChannelConfig::new("main", ProviderKind::Meta)
    }))
}

#[cfg(test)]
mod tests {
    use super::pointer_of;

    #[test]
    fn keys_become_pointers() {
        for (key, pointer) in [
            ("", ""),
            ("per_purchase", "/per_purchase"),
            ("answer[2].say", "/answer/2/say"),
            ("a[0].\"c/d.e\".x", "/a/0/c~1d.e/x"),
            ("\"\"", "/"),
        ] {
            assert_eq!(pointer_of(key), pointer, "{key}");
        }
    }
}

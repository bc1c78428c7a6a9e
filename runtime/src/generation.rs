//! Chains, rules and loaded plugins as one immutable value, checked as a whole
//! before anything runs on it. Never changed: a reload builds the next one.

mod numbers;
mod origins;
mod selfcheck;

pub use origins::Origins;

use crate::{
    calendar::Calendar,
    cases,
    clock::{Clock, SystemClock},
    config::{
        Business, ChainFile, ChannelConfig, Document, Env, Found, LOCK_FILE, Problem, ProviderKind,
        StepConfig,
    },
    model::ChannelId,
    plugin::{
        self, Comparison, ConfigureError, LoadError, Plugin, PluginStep, Plugins, Rollout,
        RuleProblem, Source, Version,
    },
    provider::{Provider, meta::Meta, twilio::Twilio},
    turn::{Chain, ChainStep, Step, consent},
};
use futures::future::join_all;
use origins::{Made, Origin};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
    sync::Arc,
};

/// How many problems that one plugin has with its rules are shown.
const PROBLEMS: usize = 100;

/// Everything a turn needs that the owner decides.
#[derive(Clone)]
pub struct Generation {
    /// Counted from 1 since the process began.
    pub number: u64,
    pub business: Arc<Business>,
    /// When the business is open, if it says so.
    pub calendar: Option<Arc<Calendar>>,
    pub channels: BTreeMap<ChannelId, Arc<Channel>>,
    /// The channel of each number, by the provider's name for it.
    pub by_number: HashMap<String, ChannelId>,
    /// The words that stop marketing and start it again.
    pub consent: Arc<consent::Words>,
    /// What is odd but does no harm.
    pub warnings: Vec<Problem>,
    /// By step name: what its plugin asks for and what it is granted.
    pub wants: BTreeMap<String, Comparison>,
    /// What the steps were made from, for the next generation to compare.
    pub origins: Origins,
}

impl Generation {
    /// The owner has reloaded by command: steps that rest after failures are
    /// tried again, also those that did not change.
    pub fn lift_rests(&self) {
        self.origins.lift_rests();
    }
}

/// One business number, ready to use.
pub struct Channel {
    pub id: ChannelId,
    pub config: ChannelConfig,
    pub provider: Arc<dyn Provider>,
    pub chain: Arc<Chain>,
}

/// Why a folder is loaded.
#[derive(Clone, Copy)]
pub enum Occasion<'a> {
    /// The runtime begins. Plugins are not held to their own cases: what ran
    /// yesterday must run after a restart.
    Start,
    /// Somebody wants to know whether all is well.
    Check,
    /// Something has changed since this generation. Steps that did not change
    /// are used again, and its `[http]` and `[store]` are kept, since those
    /// need a restart.
    Reload(&'a Generation),
}

/// Loads and checks `folder` with all its plugins. Error: every problem there
/// is.
pub async fn build(
    folder: &Path,
    env: &Env,
    plugins: &Arc<Plugins>,
    occasion: Occasion<'_>,
    number: u64,
) -> Result<Generation, Vec<Problem>> {
    let previous = match occasion {
        Occasion::Reload(previous) => Some(previous),
        Occasion::Start | Occasion::Check => None,
    };
    // It hashes plugins that are in the lock, of many MB.
    let (place, variables) = (folder.to_owned(), env.clone());
    let found = tokio::task::spawn_blocking(move || Found::read(&place, &variables)).await;
    let found = found.map_err(|error| vec![Problem::of_file(".", error.to_string())])?;
    let origins = previous.map(|previous| &previous.origins);
    let mut builder = Builder {
        found: &found,
        plugins,
        loaded: load_all(&found, plugins).await,
        checks: !matches!(occasion, Occasion::Start),
        previous: origins,
        origins: Origins::default(),
        problems: Vec::new(),
        warnings: found.warnings.clone(),
        wants: BTreeMap::new(),
        wanted_before: previous.map(|previous| &previous.wants),
    };
    let mut chains = BTreeMap::new();
    for (name, file) in &found.chains {
        chains.insert(name.clone(), builder.chain(name, file).await);
    }
    let Builder { origins, problems, mut warnings, wants, .. } = builder;
    let folder = match (found.complete(), problems.is_empty()) {
        (Ok(folder), true) => folder,
        (Ok(_), false) => return Err(problems),
        (Err(found), _) => return Err(found.into_iter().chain(problems).collect()),
    };
    let mut business = folder.business;
    if let Some(previous) = previous {
        keep_until_restart(&mut business, previous, &folder.document, &mut warnings);
    }
    let channels = channels(&business, &chains);
    let number_of = |config: &ChannelConfig| {
        config.number_name().map(|number| (number.to_owned(), ChannelId::new(&config.id)))
    };
    let by_number = business.channels.iter().filter_map(number_of).collect();
    let consent = Arc::new(consent::Words::new(&business.consent));
    let business = Arc::new(business);
    let now = SystemClock.now();
    warnings.extend(folder.calendar.iter().flat_map(|file| file.over(now)));
    let calendar = folder.calendar.map(|file| Arc::new(file.calendar));
    Ok(Generation {
        number,
        business,
        calendar,
        channels,
        by_number,
        consent,
        warnings,
        wants,
        origins,
    })
}

type Loaded = HashMap<Source, Result<Arc<Plugin>, LoadError>>;

/// Every plugin of every sound step, beside each other.
async fn load_all(found: &Found, plugins: &Plugins) -> Loaded {
    let steps = found.chains.values().flat_map(|file| {
        let sound = file.sound.iter().chain(std::iter::repeat(&false));
        file.config.steps.iter().zip(sound).filter_map(|(step, sound)| sound.then_some(step))
    });
    let sources: HashSet<Source> = steps.map(|step| source(found, step)).collect();
    let load = async |source: Source| {
        let loaded = plugins.load(&source).await;
        (source, loaded)
    };
    join_all(sources.into_iter().map(load)).await.into_iter().collect()
}

fn source(found: &Found, step: &StepConfig) -> Source {
    match step.plugin_file() {
        Some(path) => Source::File(found.path.join(path)),
        None => Source::Bundled(step.plugin.clone()),
    }
}

fn channels(
    business: &Business,
    chains: &BTreeMap<String, Arc<Chain>>,
) -> BTreeMap<ChannelId, Arc<Channel>> {
    let channel = |config: &ChannelConfig| {
        let id = ChannelId::new(&config.id);
        // Present: a channel without its chain is a problem.
        let chain = Arc::clone(chains.get(&config.chain)?);
        let provider: Arc<dyn Provider> = match config.provider {
            ProviderKind::Meta => Arc::new(Meta::new(config)),
            ProviderKind::Twilio => Arc::new(Twilio::new(config)),
        };
        let channel = Channel { id: id.clone(), config: config.clone(), provider, chain };
        Some((id, Arc::new(channel)))
    };
    business.channels.iter().filter_map(channel).collect()
}

fn keep_until_restart(
    business: &mut Business,
    previous: &Generation,
    document: &Document,
    warnings: &mut Vec<Problem>,
) {
    let running = &previous.business;
    let sections =
        [("http", business.http == running.http), ("store", business.store == running.store)];
    for (section, same) in sections {
        if !same {
            let message = "the change needs a restart; until then the old values are kept";
            warnings.push(document.problem(&format!("/{section}"), message));
        }
    }
    business.http = running.http.clone();
    business.store = running.store.clone();
}

/// Makes the steps of one generation.
struct Builder<'a> {
    found: &'a Found,
    plugins: &'a Plugins,
    loaded: Loaded,
    /// Whether new plugins are held to their own cases.
    checks: bool,
    previous: Option<&'a Origins>,
    origins: Origins,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    wants: BTreeMap<String, Comparison>,
    wanted_before: Option<&'a BTreeMap<String, Comparison>>,
}

impl Builder<'_> {
    async fn chain(&mut self, name: &str, file: &ChainFile) -> Arc<Chain> {
        let mut steps = Vec::new();
        for (index, config) in file.config.steps.iter().enumerate() {
            // What is not sound is a problem already.
            if !file.sound.get(index).is_some_and(|sound| *sound) {
                continue;
            }
            match self.step(file, index, config).await {
                Ok(step) => steps.push(step),
                Err(problems) => {
                    let new = problems.into_iter().filter(|one| !self.problems.contains(one));
                    let new: Vec<Problem> = new.collect();
                    self.problems.extend(new);
                }
            }
        }
        Arc::new(Chain { name: name.into(), steps })
    }

    async fn step(
        &mut self,
        file: &ChainFile,
        index: usize,
        config: &StepConfig,
    ) -> Result<ChainStep, Vec<Problem>> {
        let at_plugin = |message: String| {
            vec![file.document.problem(&format!("/step/{index}/plugin"), message)]
        };
        let plugin = self.plugin(file, index, config)?;
        self.compare_grants(file, index, config, &plugin);
        let none = Document::empty(file.document.file());
        let rules = config.rules.as_ref().and_then(|rules| self.found.rules.get(rules));
        // Problems of rules that are not there are shown at the step.
        let at_rules = |pointer: &str, message: String| match rules {
            Some(document) => document.problem(pointer, message),
            None => {
                let message = format!("has no `rules`, and the plugin needs them: {message}");
                file.document.problem(&format!("/step/{index}"), message)
            }
        };
        let document = rules.unwrap_or(&none);
        let origin = Origin {
            plugin: plugin.hash(),
            config: config.clone(),
            rules: document.value().clone(),
        };
        let place = file.document.problem(&format!("/step/{index}/plugin"), "");
        if let Some(before) = self.previous.and_then(|origins| origins.unchanged(&origin)) {
            let before = Made { place, ..before.clone() };
            return Ok(self.origins.add(before));
        }
        if self.checks && !self.ran_before(&origin.plugin) {
            let checked = selfcheck::run(self.plugins, &plugin, &config.limits).await;
            if let Some(remark) = checked.map_err(at_plugin)? {
                let pointer = format!("/step/{index}/plugin");
                self.warnings.push(file.document.problem(&pointer, remark));
            }
        }
        let wrong = plugin.schema_problems(document).map_err(at_plugin)?;
        if !wrong.is_empty() {
            let wrong = wrong.into_iter().map(|problem| match rules {
                Some(_) => problem,
                None => at_rules("", format!("{} {}", problem.key, problem.message)),
            });
            return Err(wrong.collect());
        }
        self.warnings.extend(plugin.schema_remarks(document).map_err(at_plugin)?);
        let step = match plugin.configure(config, document.value()).await {
            Ok(step) => step,
            Err(ConfigureError::Failed(why)) => {
                return Err(at_plugin(format!("the plugin could not be set up: {why}")));
            }
            Err(ConfigureError::Rules(problems)) => {
                let problem = |RuleProblem { path, message }| at_rules(&path, message);
                return Err(problems.into_iter().take(PROBLEMS).map(problem).collect());
            }
        };
        let version =
            Version { label: step.plugin().into(), hash: plugin.hash(), step: Arc::new(step) };
        let running = self.previous.and_then(|origins| origins.of(&config.name));
        let trusted = self.trusted(&origin, &version.hash, file, index).await;
        let rollout = Arc::new(Rollout::new(config, version, running, trusted));
        let link = chain_step(Arc::clone(&rollout) as Arc<dyn Step>, config, document.value());
        let descriptor = plugin.descriptor().clone();
        Ok(self.origins.add(Made { origin, link, rollout, descriptor, place }))
    }

    /// The version that the step has trusted so far, with what the owner has
    /// changed of the step: revoked grants are revoked at once. None if it
    /// stays as it is.
    async fn trusted(
        &mut self,
        origin: &Origin,
        new: &str,
        file: &ChainFile,
        index: usize,
    ) -> Option<Version<PluginStep>> {
        let made = self.previous?.find(&origin.config.name)?;
        let same = made.origin.config == origin.config && made.origin.rules == origin.rules;
        let old = made.rollout.trusted();
        if same || old.hash == new {
            return None;
        }
        let (step, remark) = match old.step.anew(&origin.config, &origin.rules).await {
            Ok((step, refused)) => {
                let keeps = |why| format!("{} goes on with its rules: {why}", old.label);
                (Some(Arc::new(step)), refused.map(keeps))
            }
            Err(why) => (None, Some(format!("{} goes on as it was: {why}", old.label))),
        };
        if let Some(remark) = remark {
            let pointer = format!("/step/{index}/plugin");
            self.warnings.push(file.document.problem(&pointer, remark));
        }
        step.map(|step| Version { step, ..old })
    }

    /// The step's plugin, and nothing wrong with its grants.
    fn plugin(
        &self,
        file: &ChainFile,
        index: usize,
        config: &StepConfig,
    ) -> Result<Arc<Plugin>, Vec<Problem>> {
        let mut problems: Vec<Problem> = plugin::check_grants(&config.grants)
            .into_iter()
            .map(|RuleProblem { path, message }| {
                let pointer = format!("/step/{index}/grants{path}");
                // Of a credential nothing is shown but its key.
                let message = match path.starts_with("/credentials/") {
                    true => message,
                    false => format!("{} {message}", file.document.quoted(&pointer)),
                };
                file.document.problem(&pointer, message)
            })
            .collect();
        // Every sound step's was loaded, and only sound ones come here.
        let wrong = match self.loaded.get(&source(self.found, config)).cloned() {
            Some(Ok(plugin)) if self.is_pinned(config, &plugin) => {
                return if problems.is_empty() { Ok(plugin) } else { Err(problems) };
            }
            Some(Ok(_)) => format!("was replaced after {LOCK_FILE} was compared with it"),
            Some(Err(why)) => why.to_string(),
            None => return Err(problems),
        };
        problems.push(file.document.problem(&format!("/step/{index}/plugin"), wrong));
        Err(problems)
    }

    /// Whether the bytes that were loaded are those in the lock, if it has them.
    fn is_pinned(&self, config: &StepConfig, plugin: &Plugin) -> bool {
        let pin = config.plugin_file().and_then(|file| self.found.lock.of_file(file));
        pin.is_none_or(|pin| pin.digest == format!("sha256:{}", plugin.hash()))
    }

    /// Whether a plugin is in use now, in whatever step.
    fn ran_before(&self, hash: &str) -> bool {
        self.previous.is_some_and(|previous| previous.run(hash))
    }

    /// Warns where what is asked for and what is granted differ. A plugin that
    /// asks for more runs with what it has.
    fn compare_grants(
        &mut self,
        file: &ChainFile,
        index: usize,
        config: &StepConfig,
        plugin: &Plugin,
    ) {
        let compared = plugin.compare(&config.grants);
        let before = self.wanted_before.and_then(|before| before.get(&config.name));
        for want in compared.wanted.iter().filter(|want| !want.granted) {
            let new = before.is_some_and(|before| !before.asks_for(&want.name));
            let message = format!(
                "the plugin {} `{}` ({}); to allow it: {}",
                if new { "now also asks for" } else { "asks for" },
                want.name,
                want.reason,
                want.to_grant
            );
            self.warnings.push(file.document.problem(&format!("/step/{index}"), message));
        }
        for path in &compared.unasked {
            let pointer = format!("/step/{index}/grants{path}");
            let message = "is granted, but the plugin does not ask for it";
            self.warnings.push(file.document.problem(&pointer, message));
        }
        self.wants.insert(config.name.clone(), compared);
    }
}

fn chain_step(step: Arc<dyn Step>, config: &StepConfig, rules: &Value) -> ChainStep {
    ChainStep {
        step,
        on_error: config.on_error,
        error_reply: config.error_reply.clone(),
        grants: config.grants.clone(),
        limits: (&config.limits).into(),
        rules: cases::rules_hash(rules),
    }
}

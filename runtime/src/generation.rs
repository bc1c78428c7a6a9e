//! Chains, rules and loaded plugins as one immutable value, checked as a whole
//! before anything runs on it. Never changed: a reload builds the next one.

use crate::{
    config::{
        Business, ChainFile, ChannelConfig, Document, Env, Found, LOCK_FILE, Problem, ProviderKind,
        Schema, StepConfig,
    },
    model::ChannelId,
    plugin::{ConfigureError, Plugin, Plugins, RuleProblem, Source},
    provider::{Provider, meta::Meta},
    turn::{Chain, ChainStep, DraftLimits, Step},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
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
    pub channels: BTreeMap<ChannelId, Arc<Channel>>,
    /// The channel of each `phone_number_id`.
    pub by_number: HashMap<String, ChannelId>,
    /// What is odd but does no harm.
    pub warnings: Vec<Problem>,
    /// What the steps were made from, for the next generation to compare.
    pub origins: Origins,
}

/// One business number, ready to use.
pub struct Channel {
    pub id: ChannelId,
    pub config: ChannelConfig,
    pub provider: Arc<dyn Provider>,
    pub chain: Arc<Chain>,
}

/// By step name, what each step was made from. Empty is always right: then
/// every step is made anew.
#[derive(Clone, Default)]
pub struct Origins(HashMap<String, (Origin, ChainStep)>);

/// Two steps with the same origin are the same.
#[derive(Clone, PartialEq)]
struct Origin {
    plugin: String,
    config: StepConfig,
    rules: Value,
}

/// Loads and checks `folder` with all its plugins. Steps that did not change
/// since `previous` are used again, and its `[http]` and `[store]` are kept,
/// since those need a restart. Error: every problem there is.
pub async fn build(
    folder: &Path,
    env: &Env,
    plugins: &Arc<Plugins>,
    previous: Option<&Generation>,
    number: u64,
) -> Result<Generation, Vec<Problem>> {
    let found = Found::read(folder, env);
    let origins = previous.map(|previous| &previous.origins);
    let mut builder = Builder {
        found: &found,
        plugins,
        previous: origins,
        origins: Origins::default(),
        problems: Vec::new(),
        warnings: found.warnings.clone(),
    };
    let mut chains = BTreeMap::new();
    for (name, file) in &found.chains {
        chains.insert(name.clone(), builder.chain(name, file).await);
    }
    let Builder { origins, problems, mut warnings, .. } = builder;
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
    let number_of =
        |config: &ChannelConfig| (config.phone_number_id.clone(), ChannelId::new(&config.id));
    let by_number = business.channels.iter().map(number_of).collect();
    let business = Arc::new(business);
    Ok(Generation { number, business, channels, by_number, warnings, origins })
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
    plugins: &'a Arc<Plugins>,
    previous: Option<&'a Origins>,
    origins: Origins,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
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
        let source = match config.plugin_file() {
            Some(path) => Source::File(self.found.path.join(path)),
            None => Source::Bundled(config.plugin.clone()),
        };
        let plugin = self.plugins.load(&source).await.map_err(|why| at_plugin(why.to_string()))?;
        let pin = config.plugin_file().and_then(|file| self.found.lock.of_file(file));
        if pin.is_some_and(|pin| pin.digest != format!("sha256:{}", plugin.hash())) {
            return Err(at_plugin(format!("was replaced after {LOCK_FILE} was compared with it")));
        }
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
        if let Some(step) = self.unchanged(&origin) {
            self.origins.0.insert(config.name.clone(), (origin, step.clone()));
            return Ok(step);
        }
        if let Some(schema) = plugin.descriptor().rules_schema.clone() {
            let schema = Schema::parse(schema).map_err(|why| {
                at_plugin(format!("the plugin's schema for its rules is not valid: {why}"))
            })?;
            let wrong = schema.check(document);
            if !wrong.is_empty() {
                let wrong = wrong.into_iter().map(|problem| match rules {
                    Some(_) => problem,
                    None => at_rules("", format!("{} {}", problem.key, problem.message)),
                });
                return Err(wrong.collect());
            }
        }
        let step = match plugin.configure(config, document.value()).await {
            Ok(step) => chain_step(Arc::new(step), config),
            Err(ConfigureError::Failed(why)) => {
                return Err(at_plugin(format!("the plugin could not be set up: it {why}")));
            }
            Err(ConfigureError::Rules(problems)) => {
                let problem = |RuleProblem { path, message }| at_rules(&path, message);
                return Err(problems.into_iter().take(PROBLEMS).map(problem).collect());
            }
        };
        self.origins.0.insert(config.name.clone(), (origin, step.clone()));
        Ok(step)
    }

    fn unchanged(&self, origin: &Origin) -> Option<ChainStep> {
        let (before, step) = self.previous?.0.get(&origin.config.name)?;
        (before == origin).then(|| step.clone())
    }

    /// Warns where what is asked for and what is granted differ.
    fn compare_grants(
        &mut self,
        file: &ChainFile,
        index: usize,
        config: &StepConfig,
        plugin: &Plugin,
    ) {
        let wants = &plugin.descriptor().wants;
        let all = config.grants.all();
        for want in wants {
            let key = all.iter().find(|(name, _, _)| *name == want.name).map(|(_, key, _)| key);
            let message = match (config.grants.allows(&want.name), key) {
                (Some(true), _) => continue,
                (Some(false), Some(key)) => format!(
                    "the plugin asks for `{}` ({}); to allow it: `grants = {{ {key} = true }}`",
                    want.name, want.reason
                ),
                (Some(false) | None, _) => {
                    format!("the plugin asks for `{}`, which is not known here", want.name)
                }
            };
            self.warnings.push(file.document.problem(&format!("/step/{index}"), message));
        }
        for (name, key, granted) in all {
            if granted && !wants.iter().any(|want| want.name == name) {
                let message = "is granted, but the plugin does not ask for it";
                let pointer = format!("/step/{index}/grants/{key}");
                self.warnings.push(file.document.problem(&pointer, message));
            }
        }
    }
}

fn chain_step(step: Arc<dyn Step>, config: &StepConfig) -> ChainStep {
    ChainStep {
        step,
        on_error: config.on_error,
        error_reply: config.error_reply.clone(),
        grants: config.grants.clone(),
        limits: DraftLimits {
            effects: config.limits.effects,
            log_lines: config.limits.log_lines,
            value_bytes: config.limits.value_bytes,
        },
    }
}

//! `langgraph/pregel`: `apply_writes`, `prepare_next_tasks`, `create_checkpoint`, by name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::channel::{Model, Saved, Spec};
use super::value::{Raised, Value};

pub type Versions = BTreeMap<String, u64>;

/// A checkpoint without its values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    pub channel_versions: Versions,
    pub versions_seen: BTreeMap<String, Versions>,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub path: String,
    pub name: String,
    pub triggers: Vec<String>,
    pub writes: Vec<(String, Value)>,
}

/// Channels in the order of their dict.
pub type Channels = Vec<(String, Model)>;

fn at<'a>(channels: &'a mut Channels, name: &str) -> Option<&'a mut Model> {
    channels.iter_mut().find(|(other, _)| other == name).map(|(_, channel)| channel)
}

pub fn apply_writes(
    checkpoint: &mut Checkpoint,
    channels: &mut Channels,
    tasks: &[Task],
    next_version: Option<fn(Option<u64>) -> u64>,
    trigger_to_nodes: &HashMap<String, Vec<String>>,
) -> Result<BTreeSet<String>, Raised> {
    let mut tasks = tasks.to_vec();
    tasks.sort_by(|one, other| one.path.cmp(&other.path));
    let bump_step = tasks.iter().any(|task| !task.triggers.is_empty());

    for task in &tasks {
        let seen = checkpoint.versions_seen.entry(task.name.clone()).or_default();
        for chan in &task.triggers {
            if let Some(version) = checkpoint.channel_versions.get(chan) {
                seen.insert(chan.clone(), *version);
            }
        }
    }

    let highest = checkpoint.channel_versions.values().max().copied();
    let next = next_version.map(|next| next(highest));
    let versions = &mut checkpoint.channel_versions;

    let read: BTreeSet<_> = tasks.iter().flat_map(|task| task.triggers.clone()).collect();
    for chan in read {
        if let Some(channel) = at(channels, &chan)
            && channel.consume()
            && let Some(next) = next
        {
            versions.insert(chan, next);
        }
    }

    let mut pending: Vec<(String, Vec<Value>)> = Vec::new();
    for task in &tasks {
        for (chan, value) in &task.writes {
            match pending.iter_mut().find(|(name, _)| name == chan) {
                Some((_, values)) => values.push(value.clone()),
                None => pending.push((chan.clone(), vec![value.clone()])),
            }
        }
    }

    let mut updated = BTreeSet::new();
    for (chan, values) in pending {
        let channel = at(channels, &chan).expect("only known channels are written to");
        if channel.update(&values)?
            && let Some(next) = next
        {
            versions.insert(chan.clone(), next);
            if channel.is_available() {
                updated.insert(chan);
            }
        }
    }

    if bump_step {
        for (chan, channel) in channels.iter_mut() {
            if channel.is_available()
                && !updated.contains(chan)
                && channel.update(&[])?
                && let Some(next) = next
            {
                versions.insert(chan.clone(), next);
                if channel.is_available() {
                    updated.insert(chan.clone());
                }
            }
        }
    }

    if bump_step && updated.iter().all(|chan| !trigger_to_nodes.contains_key(chan)) {
        for (chan, channel) in channels.iter_mut() {
            if channel.finish()
                && let Some(next) = next
            {
                versions.insert(chan.clone(), next);
                if channel.is_available() {
                    updated.insert(chan.clone());
                }
            }
        }
    }
    Ok(updated)
}

/// The names of the nodes that `prepare_next_tasks` makes PULL tasks for, sorted.
pub fn next_nodes(
    checkpoint: &Checkpoint,
    processes: &BTreeMap<String, Vec<String>>,
    channels: &Channels,
    trigger_to_nodes: &HashMap<String, Vec<String>>,
    updated: Option<&BTreeSet<String>>,
) -> Vec<String> {
    let candidates: BTreeSet<String> = match updated {
        Some(updated) if !updated.is_empty() && !trigger_to_nodes.is_empty() => updated
            .iter()
            .filter_map(|chan| trigger_to_nodes.get(chan))
            .flatten()
            .cloned()
            .collect(),
        _ if checkpoint.channel_versions.is_empty() => BTreeSet::new(),
        _ => processes.keys().cloned().collect(),
    };
    if checkpoint.channel_versions.is_empty() {
        return Vec::new();
    }
    let version = |versions: &Versions, chan: &String| versions.get(chan).copied().unwrap_or(0);
    let triggers = |name: &String| {
        let available = |chan: &&String| {
            channels.iter().any(|(other, channel)| other == *chan && channel.is_available())
        };
        let mut chans = processes[name].iter().filter(available);
        match checkpoint.versions_seen.get(name) {
            None => chans.next().is_some(),
            Some(seen) => {
                chans.any(|chan| version(&checkpoint.channel_versions, chan) > version(seen, chan))
            }
        }
    };
    candidates.into_iter().filter(triggers).collect()
}

/// The values of `create_checkpoint`.
pub fn channel_values(checkpoint: &Checkpoint, channels: &Channels) -> BTreeMap<String, Saved> {
    let stored = channels.iter().filter(|(name, _)| checkpoint.channel_versions.contains_key(name));
    stored
        .map(|(name, channel)| (name.clone(), channel.checkpoint()))
        .filter(|(_, saved)| *saved != Saved::Missing)
        .collect()
}

pub fn channels_from_checkpoint(
    specs: &[(String, Spec)],
    values: &BTreeMap<String, Saved>,
) -> Channels {
    let saved = |name| values.get(name).cloned().unwrap_or(Saved::Missing);
    specs
        .iter()
        .map(|(name, spec)| (name.clone(), Model::from_checkpoint(spec, saved(name))))
        .collect()
}

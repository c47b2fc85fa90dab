//! The channels of one run, and the version of each.

use std::sync::Arc;

use super::Channel;
use super::domain::Domain;
use super::layout::Layout;
use super::state::{Reading, State};
use crate::error::{Error, Fault};

/// The channels of a layout, in its order, each with its version if it has been written to.
#[derive(Debug)]
pub struct ChannelSet<V, R, N> {
    layout: Arc<Layout<V, R>>,
    channels: Box<[Channel<V, R>]>,
    versions: Box<[Option<N>]>,
}

impl<V, R, N: Clone + PartialOrd> ChannelSet<V, R, N> {
    /// New channels, none of them with a version.
    pub fn new<D>(domain: &D, layout: &Arc<Layout<V, R>>) -> Result<Self, D::Error>
    where
        D: Domain<Value = V, Reducer = R>,
    {
        Self::restore(domain, layout, |_| (State::Missing, None))
    }

    /// Channels as a checkpoint has them: `stored` gives the state and the version of each by name.
    pub fn restore<D>(
        domain: &D,
        layout: &Arc<Layout<V, R>>,
        mut stored: impl FnMut(&str) -> (State<V>, Option<N>),
    ) -> Result<Self, D::Error>
    where
        D: Domain<Value = V, Reducer = R>,
    {
        let mut channels = Vec::with_capacity(layout.len());
        let mut versions = Vec::with_capacity(layout.len());
        for (name, kind) in layout.iter() {
            let (state, version) = stored(name);
            let channel = kind.restore(domain, state);
            channels.push(channel.map_err(|error| error.in_channel(name))?);
            versions.push(version);
        }
        let layout = Arc::clone(layout);
        Ok(Self { layout, channels: channels.into(), versions: versions.into() })
    }

    /// Which channels these are.
    #[must_use]
    pub fn layout(&self) -> &Arc<Layout<V, R>> {
        &self.layout
    }

    /// The channels, in order.
    #[must_use]
    pub fn channels(&self) -> &[Channel<V, R>] {
        &self.channels
    }

    /// The version of each channel, in order.
    #[must_use]
    pub fn versions(&self) -> &[Option<N>] {
        &self.versions
    }

    /// The channel of this number, to be changed.
    #[inline]
    pub fn channel_mut(&mut self, slot: usize) -> Result<&mut Channel<V, R>, Error> {
        let len = self.channels.len();
        self.channels.get_mut(slot).ok_or(Error::NoChannel { slot, len })
    }

    /// The channel named.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Channel<V, R>> {
        self.channels.get(self.layout.slot(name)?)
    }

    /// What is there to be read in a channel; nothing if there is no such channel.
    #[inline]
    #[must_use]
    pub fn read(&self, slot: usize) -> Reading<'_, V> {
        self.channels.get(slot).map_or(Reading::Empty, Channel::read)
    }

    /// The version of a channel, if it has one.
    #[inline]
    #[must_use]
    pub fn version(&self, slot: usize) -> Option<&N> {
        self.versions.get(slot)?.as_ref()
    }

    /// Gives a channel a version.
    #[inline]
    pub fn set_version(&mut self, slot: usize, version: N) {
        if let Some(place) = self.versions.get_mut(slot) {
            *place = Some(version);
        }
    }

    /// The highest version of all.
    #[must_use]
    pub fn highest(&self) -> Option<&N> {
        self.versions.iter().flatten().reduce(|high, it| if it > high { it } else { high })
    }

    /// Channels that hold the same, with the same versions.
    #[must_use]
    pub fn copy(&self, domain: &impl Domain<Value = V, Reducer = R>) -> Self {
        Self {
            layout: Arc::clone(&self.layout),
            channels: self.channels.iter().map(|channel| channel.copy(domain)).collect(),
            versions: self.versions.clone(),
        }
    }
}

//! Many runs side by side.

use rayon::prelude::*;

use super::run::{Outcome, Run, Worker};
use crate::channel::Domain;

/// Invokes all runs in the rayon pool that this thread belongs to, as many at a time as it has
/// threads; how each ended, in their order.
///
/// `snapshot` is told which run it sees, as [`Run::invoke`] would.
pub fn invoke_all<D>(
    runs: &mut [Run<D>],
    limit: u64,
    snapshot: impl Fn(usize, &Run<D>) -> Result<(), D::Error> + Sync,
) -> Vec<Result<Outcome, D::Error>>
where
    D: Domain<Value: Send + Sync, Reducer: Send + Sync, Error: Send> + Send + Sync,
{
    let invoke = |worker: &mut Worker<_>, (at, run): (usize, &mut Run<D>)| {
        run.invoke(worker, limit, |run| snapshot(at, run))
    };
    runs.par_iter_mut().enumerate().map_init(Worker::default, invoke).collect()
}

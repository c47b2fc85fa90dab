//! `BinaryOperatorAggregate`: every value received, reduced into one.

use pyo3::ffi;

use super::channel::Channel;
use super::class::Kind;
use super::held::{Held, truth};
use super::methods::inherited_update;
use super::overwrite::overwrite;
use super::plain::is_plain;
use super::rules::{Done, Owned, Rules, Stop, Values};
use super::value;

/// See the file.
pub struct BinaryOperatorAggregate;

/// Applies the operator to what the channel holds and to an update.
unsafe fn reduce(channel: Channel, update: *mut ffi::PyObject) -> Done<()> {
    // SAFETY: the caller's. All are held: the operator may change its own channel.
    unsafe {
        let operator = Held::borrowed(channel.extra()?);
        let current = Held::borrowed(channel.state()?);
        let reduced = if operator.ptr() == channel.class.host.add.ptr() {
            ffi::PyNumber_Add(current.ptr(), update)
        } else {
            let arguments = [current.ptr(), update];
            let none = std::ptr::null_mut();
            ffi::PyObject_Vectorcall(operator.ptr(), arguments.as_ptr(), 2, none)
        };
        channel.take(Held::given(reduced)?.into_owned());
        Ok(())
    }
}

/// Applies the updates from a place on to a channel that holds something.
unsafe fn aggregate(channel: Channel, values: Values, from: isize) -> Done<()> {
    // SAFETY: the caller's.
    unsafe {
        let (mut index, mut overwritten) = (from, None::<Held>);
        while index < values.len() {
            let update = Held::borrowed(values.get(index));
            index += 1;
            match (overwrite(channel.class.host, update.ptr())?, &overwritten) {
                (Some(_), Some(first)) => {
                    // LangGraph's own words for a second one.
                    inherited_update(channel, &[first.ptr(), update.ptr()])?;
                }
                (Some(value), None) => {
                    channel.take(value.into_owned());
                    overwritten = Some(update);
                }
                (None, Some(_)) => {}
                (None, None) => match reduce(channel, update.ptr()) {
                    // An operator took an attribute away: LangGraph says what that is.
                    Err(Stop::Unusual) => drop(inherited_update(channel, &[update.ptr()])?),
                    done => done?,
                },
            }
        }
        Ok(())
    }
}

/// What a new channel of this type holds; LangGraph finds out for types that are not plain.
unsafe fn initial(typ: *mut ffi::PyObject) -> Done<Held> {
    // SAFETY: the caller's.
    unsafe {
        let plain = [
            &raw mut ffi::PyList_Type,
            &raw mut ffi::PyDict_Type,
            &raw mut ffi::PySet_Type,
            &raw mut ffi::PyLong_Type,
            &raw mut ffi::PyFloat_Type,
            &raw mut ffi::PyUnicode_Type,
        ];
        if plain.contains(&typ.cast()) {
            Held::given(ffi::PyObject_CallNoArgs(typ))
        } else {
            Err(Stop::Unusual)
        }
    }
}

/// A channel with the same operator that holds this.
unsafe fn twin(channel: Channel, state: Held) -> Done<Owned> {
    // SAFETY: the caller's.
    unsafe {
        let operator = channel.extra()?;
        let twin = channel.twin(state.into_owned())?;
        twin.set_extra(operator);
        Ok(twin.into_owned())
    }
}

impl Rules for BinaryOperatorAggregate {
    const KIND: Kind = Kind::BinaryOperatorAggregate;

    #[inline(always)]
    unsafe fn update(channel: Channel, values: Values) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            if values.len() == 0 {
                return Ok(false);
            }
            channel.extra()?;
            if channel.value()?.is_some() {
                aggregate(channel, values, 0)?;
                return Ok(true);
            }
            channel.hold(values.get(0));
            // LangGraph goes through a slice: what the operator does to the list is not seen.
            let rest = Held::given(values.slice())?;
            aggregate(channel, Values::of(rest.ptr())?, 1)?;
            Ok(true)
        }
    }

    #[inline(always)]
    unsafe fn get(channel: Channel) -> Done<Option<Owned>> {
        // SAFETY: the caller's.
        unsafe { value::get(channel) }
    }

    #[inline(always)]
    unsafe fn is_available(channel: Channel) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe { Ok(channel.value()?.is_some()) }
    }

    #[inline(always)]
    unsafe fn checkpoint(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { value::checkpoint(channel) }
    }

    unsafe fn from_checkpoint(channel: Channel, checkpoint: *mut ffi::PyObject) -> Done<Owned> {
        // SAFETY: the caller's. LangGraph makes an initial value in any case; it is not seen.
        unsafe {
            if checkpoint == channel.missing() {
                return twin(channel, initial(channel.typ()?)?);
            }
            let snapshot = channel.class.host.delta_snapshot.ptr();
            if !is_plain(checkpoint) && truth(ffi::PyObject_IsInstance(checkpoint, snapshot))? {
                return Err(Stop::Unusual);
            }
            twin(channel, Held::borrowed(checkpoint))
        }
    }

    unsafe fn copy(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { twin(channel, Held::borrowed(channel.state()?)) }
    }
}

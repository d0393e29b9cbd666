//! [`with_value`]: what a request carries along.

use super::Context;
use core::any::{Any, TypeId};
use std::sync::Arc;

/// A value, and the ones before it.
pub(super) struct Values {
    kind: TypeId,
    value: Arc<dyn Any + Send + Sync>,
    before: Option<Arc<Values>>,
}

impl Drop for Values {
    fn drop(&mut self) {
        // A long chain: one after the other, not one inside the other.
        let mut before = self.before.take();
        while let Some(mut values) = before.and_then(Arc::into_inner) {
            before = values.before.take();
        }
    }
}

/// A context like `parent` that also carries `value`, found by its type: see [`Context::value`].
///
/// It hides a value of the same type in `parent`. Carry what belongs to a request through functions that don't care,
/// such as who asks; not the optional arguments of a function.
///
/// # Compared with Go
/// `context.WithValue`. The key is the type: where Go defines a key type of its own, define a type for the value.
///
/// ```
/// use gaggle::context::{background, with_value};
///
/// struct User(&'static str);
///
/// let ctx = with_value(&background(), User("gopher"));
/// assert_eq!(ctx.value::<User>().unwrap().0, "gopher");
/// ```
#[must_use = "the parent does not get the value"]
pub fn with_value<T: Any + Send + Sync>(parent: &Context, value: T) -> Context {
    let values = Values { kind: TypeId::of::<T>(), value: Arc::new(value), before: parent.values.clone() };
    Context { scope: parent.scope.clone(), values: Some(Arc::new(values)) }
}

impl Context {
    /// The value of this type that was added last, by [`with_value`], on the way to this context.
    ///
    /// # Compared with Go
    /// `ctx.Value(key)`, without the cast.
    ///
    /// ```
    /// use gaggle::context::{background, with_value};
    ///
    /// let ctx = with_value(&with_value(&background(), 1u32), "one");
    /// assert_eq!(ctx.value::<u32>().as_deref(), Some(&1));
    /// assert_eq!(ctx.value::<u64>(), None);
    /// ```
    pub fn value<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let mut next = self.values.as_ref();
        while let Some(values) = next {
            if values.kind == TypeId::of::<T>() {
                return values.value.clone().downcast().ok();
            }
            next = values.before.as_ref();
        }
        None
    }
}
